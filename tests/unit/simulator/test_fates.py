"""Each ending of a number, seen by an ESME on the wire."""

import asyncio
import re

import pytest

from esito.domain.states import STATE_VALUES, MessageState
from esito.domain.timing import HOUR_MS, MINUTE_MS, VALIDITY_MS, PushableClock
from esito.simulator.behaviour import Behaviour
from esito.simulator.simulated_message import BROKEN_TEXT
from esito.smpp import pdu as p
from esito.smpp.pdu import EsmClass, Status, Tag
from tests.unit.simulator.esme import SETTLED, Esme, eventually, in_a_loop, operator, still

DELIVERED = r"id:(\d+) sub:001 dlvrd:001 submit date:(\d{10}) done date:(\d{10}) stat:DELIVRD err:000 text:Bonjour"


def stat(receipt: p.DeliverSm) -> str:
    assert receipt.esm_class == EsmClass.DELIVERY_RECEIPT
    word = re.search(rb"stat:(\w+)", receipt.short_message)
    assert word is not None
    return word[1].decode()


def receipted(receipt: p.DeliverSm) -> str:
    return receipt.tlvs[Tag.RECEIPTED_MESSAGE_ID].removesuffix(b"\0").decode()


async def fate_of(ending: str, clock: PushableClock, esme: Esme, *, receipts: int) -> tuple[str, list[p.DeliverSm]]:
    response = await esme.submit(f"3361234{ending}")
    assert response.status == 0
    await asyncio.sleep(0.01)
    clock.advance(10_000)
    return response.message_id, list(await esme.deliveries(receipts))


@in_a_loop
async def test_a_receipt_is_that_of_appendix_b_and_names_both_ends() -> None:
    clock = still()
    async with operator(clock) as smsc:
        esme = await Esme.bound(smsc)
        message_id, [receipt] = await fate_of("0001", clock, esme, receipts=1)
        text = re.fullmatch(DELIVERED, receipt.short_message.decode())
        assert text is not None
        assert text[1] == message_id == receipted(receipt)
        assert (receipt.source_addr, receipt.source_addr_ton, receipt.source_addr_npi) == ("33612340001", 1, 1)
        assert (receipt.destination_addr, receipt.dest_addr_ton) == ("Esito", 5)
        assert STATE_VALUES[receipt.tlvs[Tag.MESSAGE_STATE][0]] is MessageState.DELIVERED


@pytest.mark.parametrize("ending", ["0002", "0009", "0011", "0012", "0013", "0014", "0015"])
@in_a_loop
async def test_a_scripted_receipt_comes_after_a_second_and_not_before(ending: str) -> None:
    clock = still()
    async with operator(clock) as smsc:
        esme = await Esme.bound(smsc)
        while (await esme.submit(f"336{ending}")).status == Status.ESME_RTHROTTLED:
            pass
        clock.advance(999)
        await asyncio.sleep(SETTLED)
        assert esme.delivered == []
        clock.advance(1)
        await esme.deliveries(1)


@pytest.mark.parametrize(
    ("ending", "stats"),
    [
        ("0001", ["DELIVRD"]),
        ("0002", ["UNDELIV"]),
        ("0007", ["UNDELIV", "DELIVRD"]),
        ("0009", ["DELIVRD", "DELIVRD"]),
        ("0010", ["DELIVRD", "ENROUTE", "ACCEPTD"]),
    ],
)
@in_a_loop
async def test_an_ending_sends_these_receipts_for_one_message(ending: str, stats: list[str]) -> None:
    clock = still()
    async with operator(clock) as smsc:
        esme = await Esme.bound(smsc)
        message_id, receipts = await fate_of(ending, clock, esme, receipts=len(stats))
        assert [stat(receipt) for receipt in receipts] == stats
        assert {receipted(receipt) for receipt in receipts} == {message_id}
        await eventually(lambda: smsc.receipts_acknowledged == len(stats))
        await asyncio.sleep(SETTLED)
        assert (smsc.waiting, len(esme.delivered)) == (0, len(stats))


@pytest.mark.parametrize(
    ("ending", "validity", "after_ms", "word"),
    [
        ("0003", "", VALIDITY_MS, "EXPIRED"),
        ("0003", "000002000000000R", VALIDITY_MS, "EXPIRED"),
        ("0003", "000009000000000R", VALIDITY_MS, "EXPIRED"),
        ("0003", "000000010000000R", HOUR_MS, "EXPIRED"),
        ("0006", "", VALIDITY_MS - MINUTE_MS, "DELIVRD"),
        ("0006", "000000020000000R", 2 * HOUR_MS, "EXPIRED"),
    ],
)
@in_a_loop
async def test_a_message_waits_as_long_as_it_is_valid(ending: str, validity: str, after_ms: int, word: str) -> None:
    clock = still()
    async with operator(clock) as smsc:
        esme = await Esme.bound(smsc)
        await esme.submit(f"336{ending}", validity_period=validity)
        clock.advance(after_ms - 1)
        await asyncio.sleep(SETTLED)
        assert esme.delivered == []
        clock.advance(1)
        [receipt] = await esme.deliveries(1)
        assert stat(receipt) == word


@in_a_loop
async def test_0004_is_refused_at_submit_and_has_no_id() -> None:
    async with operator(still()) as smsc:
        response = await (await Esme.bound(smsc)).submit("33612340004")
        assert (response.status, response.message_id) == (Status.ESME_RINVDSTADR, "")
        assert smsc.submitted == 0


@in_a_loop
async def test_0005_is_never_heard_of() -> None:
    clock = still()
    async with operator(clock) as smsc:
        esme = await Esme.bound(smsc)
        assert (await esme.submit("33612340005")).message_id
        clock.advance(10 * VALIDITY_MS)
        await asyncio.sleep(SETTLED)
        assert esme.delivered == []
        assert smsc.waiting == 0


@in_a_loop
async def test_0008_brings_the_receipt_before_the_response() -> None:
    async with operator(still()) as smsc:
        esme = await Esme.bound(smsc)
        response = await esme.submit("33612340008")
        [receipt] = await esme.deliveries(1)
        assert receipted(receipt) == response.message_id
        assert esme.came.index(receipt) < esme.came.index(response)


@in_a_loop
async def test_0008_holds_the_response_back_when_the_receipt_takes_another_connection() -> None:
    async with operator(still()) as smsc:
        receiver, transmitter = await Esme.bound(smsc, p.BindReceiver), await Esme.bound(smsc, p.BindTransmitter)
        asking = asyncio.create_task(transmitter.submit("33612340008"))
        [receipt] = await receiver.deliveries(1)
        assert not asking.done()
        assert receipted(receipt) == (await asking).message_id


@in_a_loop
async def test_0011_writes_the_id_in_hexadecimal_first_and_in_decimal_later() -> None:
    clock = still()
    async with operator(clock) as smsc:
        message_id, [receipt] = await fate_of("0011", clock, await Esme.bound(smsc), receipts=1)
        assert int(message_id, 16) == int(receipted(receipt))
        assert f"id:{receipted(receipt)} ".encode() in receipt.short_message


@in_a_loop
async def test_0012_takes_another_session_where_there_is_one() -> None:
    clock = still()
    async with operator(clock) as smsc:
        esme = await Esme.bound(smsc)
        await fate_of("0012", clock, esme, receipts=1)
        other = await Esme.bound(smsc, p.BindReceiver)
        for _ in range(3):
            await esme.submit("33612340012")
        clock.advance(1_000)
        await other.deliveries(3)
        assert len(esme.delivered) == 1


@in_a_loop
async def test_any_other_receipt_takes_the_session_that_submitted() -> None:
    clock = still()
    async with operator(clock) as smsc:
        esme, other = await Esme.bound(smsc), await Esme.bound(smsc)
        for _ in range(3):
            await esme.submit("33612340002")
        clock.advance(1_000)
        await esme.deliveries(3)
        assert other.delivered == []


@in_a_loop
async def test_0013_can_be_read_in_its_parameters_alone() -> None:
    clock = still()
    async with operator(clock) as smsc:
        message_id, [receipt] = await fate_of("0013", clock, await Esme.bound(smsc), receipts=1)
        assert receipt.short_message == BROKEN_TEXT
        assert message_id.encode() not in BROKEN_TEXT
        assert receipted(receipt) == message_id
        assert STATE_VALUES[receipt.tlvs[Tag.MESSAGE_STATE][0]] is MessageState.DELIVERED


@in_a_loop
async def test_0014_throttles_each_message_three_times() -> None:
    clock = still()
    async with operator(clock) as smsc:
        esme = await Esme.bound(smsc)
        statuses = []
        for _ in range(4):
            statuses += [(await esme.submit("33612340014", text=text)).status for text in (b"one", b"two")]
        assert statuses == [Status.ESME_RTHROTTLED] * 6 + [Status.ESME_ROK] * 2
        clock.advance(1_000)
        assert [stat(receipt) for receipt in await esme.deliveries(2)] == ["DELIVRD", "DELIVRD"]
        # The same text again is a new message.
        assert (await esme.submit("33612340014", text=b"one")).status == Status.ESME_RTHROTTLED


@in_a_loop
async def test_0015_answers_stop_once_however_many_segments_there_were() -> None:
    clock = still()
    async with operator(clock) as smsc:
        esme = await Esme.bound(smsc)
        for part in (1, 2):
            header = bytes([5, 0, 3, 77, 2, part])
            await esme.submit("33612340015", text=header + b"Bonjour", esm_class=EsmClass.UDHI)
        for part in (1, 2):
            tlvs = {Tag.SAR_MSG_REF_NUM: b"\0\1", Tag.SAR_TOTAL_SEGMENTS: b"\2", Tag.SAR_SEGMENT_SEQNUM: bytes([part])}
            await esme.submit("33612340015", tlvs=tlvs)
        clock.advance(1_000)
        receipts = list(await esme.deliveries(4))
        assert [stat(receipt) for receipt in receipts] == ["DELIVRD"] * 4
        assert len({receipted(receipt) for receipt in receipts}) == 4
        clock.advance(1_000)
        replies = (await esme.deliveries(6))[4:]
        await asyncio.sleep(SETTLED)
        assert len(esme.delivered) == 6
        for reply in replies:
            assert (reply.source_addr, reply.destination_addr) == ("33612340015", "Esito")
            assert (reply.esm_class, reply.short_message, reply.tlvs) == (0, b"STOP", {})


@in_a_loop
async def test_a_subscriber_whose_message_expired_answers_nothing() -> None:
    clock = still()
    async with operator(clock) as smsc:
        esme = await Esme.bound(smsc)
        await esme.submit("33612340015", validity_period="000000000000000R")
        clock.advance(10_000)
        assert [stat(receipt) for receipt in await esme.deliveries(1)] == ["EXPIRED"]
        await eventually(lambda: smsc.waiting == 0)


@pytest.mark.parametrize(
    ("wants", "stats"), [(0, []), (1, ["UNDELIV", "DELIVRD"]), (2, ["UNDELIV"]), (3, []), (17, ["UNDELIV", "DELIVRD"])]
)
@in_a_loop
async def test_only_the_receipts_that_were_asked_for_are_sent(wants: int, stats: list[str]) -> None:
    clock = still()
    async with operator(clock) as smsc:
        esme = await Esme.bound(smsc)
        await esme.submit("33612340007", wants=wants)
        clock.advance(10_000)
        await esme.deliveries(len(stats))
        await asyncio.sleep(SETTLED)
        assert [stat(receipt) for receipt in esme.delivered] == stats


@in_a_loop
async def test_a_receipt_repeats_twenty_characters_of_the_text_whatever_its_coding() -> None:
    clock = still()
    async with operator(clock) as smsc:
        esme = await Esme.bound(smsc)
        header = bytes([5, 0, 3, 1, 2, 1])
        await esme.submit("33612340001", text=b"abcdefghijklmnopqrstuvwxyz")
        await esme.submit("33612340001", text="été à la plage avec les amis".encode("utf-16-be"), data_coding=8)
        await esme.submit("33612340001", text=header + b"the body", esm_class=EsmClass.UDHI)
        await esme.submit("33612340001", text=b"", tlvs={Tag.MESSAGE_PAYLOAD: b"a payload"})
        texts = [receipt.short_message.partition(b"text:")[2] for receipt in await esme.deliveries(4)]
        assert texts == [b"abcdefghijklmnopqrst", b"?t? ? la plage avec ", b"the body", b"a payload"]


@in_a_loop
async def test_an_operator_may_date_receipts_in_its_own_zone() -> None:
    clock, dates = still(), []
    for zone in ("UTC", "Asia/Kolkata"):
        async with operator(clock, behaviour=Behaviour(zone=zone)) as smsc:
            esme = await Esme.bound(smsc)
            await esme.submit("33612340001")
            text = re.fullmatch(DELIVERED, (await esme.deliveries(1))[0].short_message.decode())
            assert text is not None
            dates.append(text[3])
    utc, kolkata = (int(date[6:8]) * 60 + int(date[8:]) for date in dates)
    assert (kolkata - utc) % (24 * 60) == 5 * 60 + 30


@in_a_loop
async def test_other_numbers_are_answered_in_their_own_time() -> None:
    clock = still()
    async with operator(clock) as smsc:
        esme = await Esme.bound(smsc)
        for number in range(300):
            await esme.submit(f"336700{4000 + number}")
        clock.advance(3_000)
        await eventually(lambda: len(esme.delivered) > 100)
        await asyncio.sleep(SETTLED)
        assert len(esme.delivered) < 200  # half of them: the median is three seconds
        clock.advance(VALIDITY_MS)
        stats = [stat(receipt) for receipt in await esme.deliveries(300)]
        assert set(stats) == {"DELIVRD", "UNDELIV"}
        assert stats.count("DELIVRD") > 280
