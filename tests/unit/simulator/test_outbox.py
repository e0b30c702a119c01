"""Receipts that wait, are repeated, refused or held back."""

import asyncio

import pytest

from esito.domain.timing import VALIDITY_MS
from esito.smpp import pdu as p
from esito.smpp.pdu import Status, Tag
from tests.kit.patience import Stopwatch
from tests.unit.simulator.esme import SETTLED, Esme, eventually, in_a_loop, operator, still


def receipted(receipts: list[p.DeliverSm]) -> list[bytes]:
    return [receipt.tlvs[Tag.RECEIPTED_MESSAGE_ID] for receipt in receipts]


@pytest.mark.parametrize("kind", [p.BindReceiver, p.BindTransceiver])
@in_a_loop
async def test_receipts_for_an_esme_that_is_away_wait_for_its_next_bind(kind: type[p.Bind]) -> None:
    clock = still()
    async with operator(clock) as smsc:
        esme = await Esme.bound(smsc)
        ids = [(await esme.submit("33612340002")).message_id.encode() + b"\0" for _ in range(5)]
        await esme.ask(p.Unbind())
        await esme.hung_up()
        clock.advance(VALIDITY_MS)
        await eventually(lambda: smsc.waiting == 5)
        transmitter = await Esme.bound(smsc, p.BindTransmitter)
        again = await Esme.connect(smsc)
        await again.bind(kind)
        assert receipted(await again.deliveries(5)) == ids
        assert isinstance(again.came[0], p.BindResp)  # nothing comes before it
        await eventually(lambda: smsc.waiting == 0)
        assert transmitter.delivered == []


@in_a_loop
async def test_receipts_that_were_not_answered_are_repeated_at_the_next_bind() -> None:
    async with operator(still()) as smsc:
        esme = await Esme.bound(smsc)
        esme.verdict = lambda _: None
        for _ in range(3):
            await esme.submit("33612340001")
        first = receipted(await esme.deliveries(3))
        smsc.disconnect()
        await esme.hung_up()
        assert (smsc.waiting, smsc.receipts_acknowledged) == (3, 0)
        again = await Esme.bound(smsc)
        assert receipted(await again.deliveries(3)) == first
        await eventually(lambda: smsc.receipts_acknowledged == 3)
        assert smsc.receipts_sent == 6


@in_a_loop
async def test_a_receipt_of_a_lost_session_is_repeated_on_another_at_once() -> None:
    async with operator(still()) as smsc:
        esme, other = await Esme.bound(smsc), await Esme.bound(smsc)
        esme.verdict = lambda _: None
        await esme.submit("33612340001")
        await esme.deliveries(1)
        await esme.close()
        assert receipted(await other.deliveries(1)) == receipted(esme.delivered)


@in_a_loop
async def test_a_receipt_without_its_response_is_repeated_after_a_while() -> None:
    async with operator(still(), response_timeout=0.05) as smsc:
        esme = await Esme.bound(smsc)
        esme.verdict = lambda _: 0 if len(esme.delivered) >= 5 else None
        await esme.submit("33612340001")
        await esme.submit("33612340001")
        await eventually(lambda: smsc.waiting == 0)
        came = receipted(esme.delivered)
        assert came[0:2] == came[2:4]
        assert smsc.receipts_acknowledged == 2
        sequences = [receipt.sequence for receipt in esme.delivered]
        assert len(set(sequences)) == len(sequences)


@in_a_loop
async def test_an_answer_that_comes_too_late_changes_nothing() -> None:
    async with operator(still()) as smsc:
        esme = await Esme.bound(smsc)
        await esme.submit("33612340001")
        await eventually(lambda: smsc.receipts_acknowledged == 1)
        esme.send(p.DeliverSmResp(sequence=esme.delivered[0].sequence))
        esme.send(p.DeliverSmResp(sequence=4711))
        await esme.ask(p.EnquireLink())
        assert smsc.receipts_acknowledged == 1


@pytest.mark.parametrize(
    "status", [Status.ESME_RMSGQFUL, Status.ESME_RTHROTTLED, Status.ESME_RSYSERR, Status.ESME_RINVMSGLEN]
)
@in_a_loop
async def test_a_refused_receipt_is_repeated_after_a_pause(status: int) -> None:
    async with operator(still(), retry_pause=0.1) as smsc:
        esme = await Esme.bound(smsc)
        tries: list[Stopwatch] = []

        def refuse_twice(_: p.DeliverSm) -> int:
            assert not tries or tries[-1].at_least(0.09)
            tries.append(Stopwatch())
            return status if len(tries) < 3 else 0

        esme.verdict = refuse_twice
        await esme.submit("33612340001")
        await eventually(lambda: smsc.waiting == 0)
        assert smsc.receipts_acknowledged == 1
        assert len(tries) == 3


@in_a_loop
async def test_a_generic_nack_is_no_acknowledgement() -> None:
    async with operator(still(), retry_pause=0.02) as smsc:
        esme = await Esme.bound(smsc)
        esme.verdict = lambda _: None
        await esme.submit("33612340001")
        [receipt] = await esme.deliveries(1)
        esme.verdict = lambda _: 0
        esme.send(p.GenericNack(sequence=receipt.sequence))
        await esme.deliveries(2)
        await eventually(lambda: smsc.receipts_acknowledged == 1)


@in_a_loop
async def test_a_full_queue_gives_the_whole_session_a_rest() -> None:
    async with operator(still(), retry_pause=0.15) as smsc:
        esme = await Esme.bound(smsc)
        refused: list[Stopwatch] = []

        def refuse_once(_: p.DeliverSm) -> int:
            if refused:
                assert refused[0].at_least(0.14)
                return 0
            refused.append(Stopwatch())
            return Status.ESME_RMSGQFUL

        esme.verdict = refuse_once
        await esme.submit("33612340001")
        await esme.deliveries(1)
        await esme.submit("33612340001")
        await esme.deliveries(3)
        await eventually(lambda: smsc.receipts_acknowledged == 2)


@pytest.mark.parametrize("status", [Status.ESME_RX_T_APPN, Status.ESME_RX_P_APPN, Status.ESME_RX_R_APPN])
@in_a_loop
async def test_a_receipt_the_application_rejects_is_lost_for_good(status: int) -> None:
    async with operator(still(), retry_pause=0.02) as smsc:
        esme = await Esme.bound(smsc)
        esme.verdict = lambda _: status
        await esme.submit("33612340001")
        await eventually(lambda: smsc.receipts_sent == 1 and smsc.waiting == 0)
        await asyncio.sleep(SETTLED)
        assert (smsc.receipts_sent, smsc.receipts_acknowledged) == (1, 0)


@in_a_loop
async def test_the_window_limits_what_is_unanswered() -> None:
    async with operator(still(), window=10) as smsc:
        esme = await Esme.bound(smsc)
        esme.verdict = lambda _: None
        for _ in range(25):
            await esme.submit("33612340001")
        await esme.deliveries(10)
        await asyncio.sleep(SETTLED)
        assert len(esme.delivered) == 10
        assert smsc.waiting == 25
        esme.verdict = lambda _: 0
        for receipt in esme.delivered[:10]:
            esme.send(p.DeliverSmResp(sequence=receipt.sequence))
        await esme.deliveries(25)
        await eventually(lambda: smsc.receipts_acknowledged == 25)


@in_a_loop
async def test_receipts_of_a_transmitter_are_shared_by_its_receivers() -> None:
    clock = still()
    async with operator(clock) as smsc:
        transmitter = await Esme.bound(smsc, p.BindTransmitter)
        receivers = [await Esme.bound(smsc, p.BindReceiver) for _ in range(2)]
        for _ in range(10):
            await transmitter.submit("33612340002")
        clock.advance(1_000)
        await eventually(lambda: smsc.receipts_acknowledged == 10)
        assert [len(receiver.delivered) for receiver in receivers] == [5, 5]


@in_a_loop
async def test_a_simulator_that_stops_sends_nothing_more_and_tells_how_much_was_left() -> None:
    clock = still()
    async with operator(clock) as smsc:
        esme = await Esme.bound(smsc)
        esme.verdict = lambda _: None
        for ending in ("0001", "0002", "0003"):
            await esme.submit(f"3361234{ending}")
        await esme.deliveries(1)
        await smsc.stop()
        clock.advance(VALIDITY_MS)
        await asyncio.sleep(SETTLED)
        assert (smsc.waiting, len(esme.delivered)) == (3, 1)


@in_a_loop
async def test_a_push_of_48_hours_sends_everything_that_was_to_come() -> None:
    clock = still()
    async with operator(clock) as smsc:
        esme = await Esme.bound(smsc)
        for ending in ("0000", "0003", "0006", "5555"):
            for _ in range(50):
                await esme.submit(f"3361234{ending}")
        clock.advance(VALIDITY_MS)
        await esme.deliveries(200)
        await eventually(lambda: smsc.waiting == 0)
        assert smsc.receipts_acknowledged == 200
