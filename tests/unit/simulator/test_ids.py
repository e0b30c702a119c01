"""Ids as operators make them."""

import uuid
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esito.simulator.behaviour import Behaviour
from esito.simulator.ids import HIGHEST, LOWEST, IdKind, IdNotation, Ids
from esito.smpp import pdu as p
from esito.smpp.codec import encode
from esito.smpp.pdu import Tag
from tests.unit.simulator.esme import Esme, in_a_loop, operator, still


@given(kind=st.sampled_from(IdKind), wrap=st.integers(1, 50), seed=st.integers())
def test_ids_come_round_after_as_many_as_said_and_not_before(kind: IdKind, wrap: int, seed: int) -> None:
    ids = Ids(kind, wrap=wrap, seed=seed)
    first = [ids.next().text for _ in range(wrap)]
    assert len(set(first)) == wrap
    assert [ids.next().text for _ in range(wrap)] == first


@given(kind=st.sampled_from(IdKind), seed=st.integers())
def test_the_same_seed_gives_the_same_ids(kind: IdKind, seed: int) -> None:
    one, other = Ids(kind, seed=seed), Ids(kind, seed=seed)
    assert [one.next() for _ in range(5)] == [other.next() for _ in range(5)]


@pytest.mark.parametrize(("kind", "base"), [(IdKind.COUNTER, 10), (IdKind.HEX, 16)])
def test_counters_count_on_from_a_random_number_of_eight_digits(kind: IdKind, base: int) -> None:
    ids = Ids(kind)
    numbers = [int(ids.next().text, base) for _ in range(100)]
    assert LOWEST <= numbers[0] <= HIGHEST
    assert all(later == earlier + 1 for earlier, later in pairwise(numbers))
    assert Ids(kind).next() != Ids(kind).next()


def test_a_counter_may_begin_at_one() -> None:
    ids = Ids(IdKind.HEX, start=1)
    assert [ids.next().text for _ in range(11)][-3:] == ["9", "a", "b"]


def test_decimal_ids_have_ten_digits_and_no_order() -> None:
    ids = Ids(IdKind.DECIMAL)
    texts = [ids.next().text for _ in range(1000)]
    assert {len(text) for text in texts} == {10}
    assert len(set(texts)) == 1000
    assert texts != sorted(texts)


def test_uuids_are_uuids() -> None:
    ids = Ids(IdKind.UUID)
    assert {uuid.UUID(ids.next().text).version for _ in range(10)} == {4}


@pytest.mark.parametrize("kind", IdKind)
@in_a_loop
async def test_a_number_of_two_forms_is_hexadecimal_in_the_response_beside_any_kind_of_id(kind: IdKind) -> None:
    clock = still()
    async with operator(clock, behaviour=Behaviour(ids=kind)) as smsc:
        esme = await Esme.bound(smsc)
        given_id = (await esme.submit("33612340011")).message_id
        clock.advance(1_000)
        (receipt,) = await esme.deliveries(1)
        assert receipt.tlvs[Tag.RECEIPTED_MESSAGE_ID] == str(int(given_id, 16)).encode() + b"\0"
        other = (await esme.submit("33612340002")).message_id
        clock.advance(1_000)
        assert (await esme.deliveries(2))[1].tlvs[Tag.RECEIPTED_MESSAGE_ID] == other.encode() + b"\0"


@in_a_loop
async def test_the_operators_own_forms_go_before_its_kind_of_id() -> None:
    behaviour = Behaviour(ids=IdKind.UUID, ids_start=255, response_id=IdNotation.HEX)
    async with operator(still(), behaviour=behaviour) as smsc:
        assert (await (await Esme.bound(smsc)).submit("33612340005")).message_id == "ff"


@in_a_loop
async def test_a_receipt_at_once_follows_its_response_and_all_of_one_read_leave_in_one_write() -> None:
    async with operator(still()) as smsc:
        esme = await Esme.bound(smsc)
        submits = [
            p.SubmitSm(sequence=place, source_addr="Esito", destination_addr="33612340001", registered_delivery=1)
            for place in range(100, 103)
        ]
        reads = esme.reads
        esme.write(b"".join(encode(pdu) for pdu in submits))
        await esme.deliveries(3)
        came = [pdu for pdu in esme.came if isinstance(pdu, p.SubmitSmResp | p.DeliverSm)]
        assert [type(pdu) for pdu in came] == [p.SubmitSmResp] * 3 + [p.DeliverSm] * 3
        assert esme.reads == reads + 1
