"""What is taken, what is refused, and what query_sm says of it."""

import pytest

from esito.domain.timing import PushableClock
from esito.simulator.behaviour import Behaviour
from esito.simulator.ids import IdNotation
from esito.simulator.submissions import ESME_RINVEXPIRY
from esito.simulator.trouble import Meter
from esito.smpp import pdu as p
from esito.smpp.codec import encode
from esito.smpp.pdu import Status, Tag
from tests.unit.simulator.esme import Esme, in_a_loop, operator, still


@pytest.mark.parametrize(
    ("to", "validity", "status"),
    [
        ("", "", Status.ESME_RINVDSTADR),
        ("nobody", "", Status.ESME_RINVDSTADR),
        ("336", "soon", ESME_RINVEXPIRY),
    ],
)
@in_a_loop
async def test_what_no_operator_would_take_is_refused(to: str, validity: str, status: int) -> None:
    async with operator(still()) as smsc:
        response = await (await Esme.bound(smsc)).submit(to, validity_period=validity)
        assert (response.status, response.message_id) == (status, "")
        assert smsc.submitted == 0


@in_a_loop
async def test_an_address_that_no_receipt_could_carry_back_is_refused() -> None:
    async with operator(still()) as smsc:
        esme = await Esme.bound(smsc)
        response = await esme.ask(p.DataSm(destination_addr="3" * 21))
        assert response.status == Status.ESME_RINVDSTADR
        frame = encode(p.SubmitSm(sequence=99, source_addr="Esito", destination_addr="33600000001"))
        longer = frame.replace(b"Esito", b"E" * 21)
        esme.write(len(longer).to_bytes(4, "big") + longer[4:])
        refusal = await esme.find(lambda pdu: pdu.sequence == 99)
        assert refusal.status == Status.ESME_RINVSRCADR


@in_a_loop
async def test_ids_are_decimal_and_count_on_from_a_random_start() -> None:
    firsts = set()
    for seed in (1, 2, None):
        async with operator(still(), seed=seed) as smsc:
            esme = await Esme.bound(smsc)
            ids = [int((await esme.submit("33612340005")).message_id) for _ in range(20)]
            assert ids == list(range(ids[0], ids[0] + 20))
            assert len(str(ids[0])) == 8
            firsts.add(ids[0])
    assert len(firsts) == 3


@in_a_loop
async def test_an_operator_writes_ids_in_its_own_forms() -> None:
    behaviour = Behaviour(response_id=IdNotation.PADDED, receipt_id=IdNotation.HEX_UPPER)
    async with operator(still(), behaviour=behaviour) as smsc:
        esme = await Esme.bound(smsc)
        message_id = (await esme.submit("33612340001")).message_id
        [receipt] = await esme.deliveries(1)
        assert len(message_id) == 20
        assert receipt.tlvs[Tag.RECEIPTED_MESSAGE_ID] == b"%X\0" % int(message_id)


@in_a_loop
async def test_a_data_sm_is_taken_like_a_submit_sm() -> None:
    async with operator(still()) as smsc:
        esme = await Esme.bound(smsc)
        tlvs: dict[int, bytes] = {Tag.MESSAGE_PAYLOAD: b"Bonsoir"}
        response = await esme.ask(p.DataSm(destination_addr="33612340001", registered_delivery=1, tlvs=tlvs))
        assert isinstance(response, p.DataSmResp)
        [receipt] = await esme.deliveries(1)
        assert receipt.short_message.endswith(b"text:Bonsoir")
        assert receipt.tlvs[Tag.RECEIPTED_MESSAGE_ID] == response.message_id.encode() + b"\0"
        refused = await esme.ask(p.DataSm(destination_addr="33612340004"))
        assert (type(refused), refused.status) == (p.DataSmResp, Status.ESME_RINVDSTADR)


async def state(esme: Esme, message_id: str) -> tuple[int, str, int]:
    answer = await esme.ask(p.QuerySm(message_id=message_id))
    assert isinstance(answer, p.QuerySmResp)
    assert answer.message_id == message_id
    return answer.message_state, answer.final_date, answer.error_code


@in_a_loop
async def test_query_sm_tells_what_was_said_last() -> None:
    class Day:
        def now(self) -> int:
            return 1_767_225_600_000  # 2026-01-01

    clock = PushableClock(Day())
    async with operator(clock) as smsc:
        esme = await Esme.bound(smsc)
        message_id = (await esme.submit("33612340007", wants=0)).message_id
        assert await state(esme, message_id) == (1, "", 0)
        clock.advance(1_000)
        assert await state(esme, message_id) == (5, "260101000001000+", 1)
        clock.advance(1_000)
        assert await state(esme, message_id) == (2, "260101000002000+", 0)


@in_a_loop
async def test_query_sm_knows_no_other_ids_and_no_other_sender() -> None:
    async with operator(still()) as smsc:
        esme = await Esme.bound(smsc)
        assert (await esme.ask(p.QuerySm(message_id="4711"))).status == Status.ESME_RQUERYFAIL
        message_id = (await esme.submit("33612340005")).message_id
        query = p.QuerySm(message_id=message_id, source_addr="Somebody")
        assert (await esme.ask(query)).status == Status.ESME_RQUERYFAIL
        assert (await esme.ask(p.QuerySm(message_id=message_id, source_addr="Esito"))).status == Status.ESME_ROK


@in_a_loop
async def test_query_sm_means_the_newest_message_whose_id_came_round() -> None:
    clock = still()
    async with operator(clock, behaviour=Behaviour(ids_wrap=1)) as smsc:
        esme = await Esme.bound(smsc)
        first = (await esme.submit("33612340001")).message_id
        assert (await state(esme, first))[0] == 2
        assert (await esme.submit("33612340005")).message_id == first
        assert (await state(esme, first))[0] == 1


@pytest.mark.parametrize("settings", [{"max_submit_per_second": 5}, {"behaviour": Behaviour(submit_per_second=5)}])
@in_a_loop
async def test_too_many_at_once_are_throttled(settings: dict[str, object]) -> None:
    async with operator(still(), **settings) as smsc:
        esme = await Esme.bound(smsc)
        asked = [encode(p.SubmitSm(sequence=number, destination_addr="33612340005")) for number in range(100, 300)]
        esme.write(b"".join(asked))  # a slow machine too reads them at once
        await esme.until(lambda: len(said_by(esme)) == len(asked))
        statuses = said_by(esme)
        assert set(statuses) == {Status.ESME_ROK, Status.ESME_RTHROTTLED}
        assert statuses[:5] == [Status.ESME_ROK] * 5
        assert smsc.submitted == statuses.count(Status.ESME_ROK)


def said_by(esme: Esme) -> list[int]:
    """Return the command_status of each submit_sm_resp, in order."""
    return [pdu.status for pdu in esme.came if isinstance(pdu, p.SubmitSmResp)]


def test_a_meter_fills_up_again_but_never_above_one_second() -> None:
    meter = Meter(2)
    assert [meter.passes(100.0) for _ in range(3)] == [True, True, False]
    assert [meter.passes(100.5) for _ in range(2)] == [True, False]
    assert [meter.passes(900.0) for _ in range(3)] == [True, True, False]
    assert all(Meter(0).passes(0.0) for _ in range(1000))
