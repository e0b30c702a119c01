"""What goes wrong for a while, switched while the simulator runs."""

import asyncio
from pathlib import Path

import pytest

from esito.simulator.behaviour import Behaviour
from esito.simulator.trouble import Scheduled, Trouble, TroubleKind
from esito.smpp import pdu as p
from esito.smpp.pdu import Status
from tests.unit.simulator.esme import Esme, eventually, in_a_loop, operator, still

THROTTLED = Trouble(kind=TroubleKind.THROTTLED)
FULL = Trouble(kind=TroubleKind.FULL, prefixes=("3369",))
REFUSING = Trouble(kind=TroubleKind.REFUSING, status=8)
BLACK_HOLE = Trouble(kind=TroubleKind.BLACK_HOLE)
LOCKED = Trouble(kind=TroubleKind.BINDS_REFUSED, status=Status.ESME_RINVPASWD)
UNBIND = Trouble(kind=TroubleKind.UNBIND)
DISCONNECT = Trouble(kind=TroubleKind.DISCONNECT)
AWAY = Trouble(kind=TroubleKind.AWAY)


@pytest.mark.parametrize(("trouble", "status"), [(THROTTLED, 0x58), (FULL, 0x14), (REFUSING, 8)])
@in_a_loop
async def test_submit_sm_are_refused_as_long_as_it_lasts(trouble: Trouble, status: int) -> None:
    async with operator(still()) as smsc:
        esme = await Esme.bound(smsc)
        assert (await esme.submit("33691230005")).status == 0
        await smsc.begin(trouble)
        assert smsc.troubles == {trouble}
        answer = await esme.submit("+33691230005")
        assert (answer.status, answer.message_id) == (status, "")
        await smsc.end(trouble)
        assert (await esme.submit("33691230005")).status == 0
        assert smsc.submitted == 2


@in_a_loop
async def test_a_full_destination_is_full_for_its_prefixes_alone() -> None:
    async with operator(still()) as smsc:
        esme = await Esme.bound(smsc)
        await smsc.begin(FULL)
        assert (await esme.submit("33611230005")).status == 0


@in_a_loop
async def test_some_may_pass_each_second() -> None:
    async with operator(still()) as smsc:
        esme = await Esme.bound(smsc)
        await smsc.begin(Trouble(kind=TroubleKind.THROTTLED, per_second=1))
        statuses = {(await esme.submit("33611230005")).status for _ in range(10)}
        assert statuses == {Status.ESME_ROK, Status.ESME_RTHROTTLED}


@in_a_loop
async def test_a_black_hole_answers_enquire_link_and_nothing_else_and_takes_no_message() -> None:
    async with operator(still()) as smsc:
        esme = await Esme.bound(smsc)
        await smsc.begin(BLACK_HOLE)
        esme.send(p.SubmitSm(sequence=500, source_addr="Esito", destination_addr="33611230001"))
        assert isinstance(await esme.ask(p.EnquireLink()), p.EnquireLinkResp)
        assert not any(pdu.sequence == 500 for pdu in esme.came)
        await smsc.end(BLACK_HOLE)
        assert (await esme.submit("33611230005")).status == 0
        assert smsc.submitted == 1


@in_a_loop
async def test_binds_are_refused_and_sessions_that_are_bound_stay() -> None:
    async with operator(still()) as smsc:
        esme = await Esme.bound(smsc)
        await smsc.begin(LOCKED)
        assert (await (await Esme.connect(smsc)).bind()).status == Status.ESME_RINVPASWD
        assert (await esme.submit("33611230005")).status == 0
        await smsc.end(LOCKED)
        assert (await (await Esme.connect(smsc)).bind()).status == 0


@in_a_loop
async def test_every_session_is_unbound_and_may_bind_again() -> None:
    async with operator(still()) as smsc:
        esme = await Esme.bound(smsc)
        await smsc.begin(UNBIND)
        await esme.find(lambda pdu: isinstance(pdu, p.Unbind))
        await esme.hung_up()
        await Esme.bound(smsc)


@in_a_loop
async def test_every_connection_is_lost_without_a_word_and_may_come_back() -> None:
    async with operator(still()) as smsc:
        esme = await Esme.bound(smsc)
        await smsc.begin(DISCONNECT)
        await esme.hung_up()
        assert not any(isinstance(pdu, p.Unbind) for pdu in esme.came)
        await Esme.bound(smsc)


@in_a_loop
async def test_nobody_listens_while_it_is_away_and_receipts_wait() -> None:
    clock = still()
    async with operator(clock) as smsc:
        esme = await Esme.bound(smsc)
        await esme.submit("33611230002")
        port = smsc.port
        await smsc.begin(AWAY)
        await esme.hung_up()
        with pytest.raises(ConnectionRefusedError):
            await Esme.connect(smsc)
        clock.advance(1_000)
        await smsc.end(AWAY)
        assert smsc.port == port
        again = await Esme.bound(smsc)
        assert len(await again.deliveries(1)) == 1


@in_a_loop
async def test_away_twice_is_over_when_both_are() -> None:
    other = Trouble(kind=TroubleKind.AWAY, per_second=1)
    async with operator(still()) as smsc:
        await smsc.begin(AWAY)
        await smsc.begin(other)
        await smsc.end(AWAY)
        with pytest.raises(ConnectionRefusedError):
            await Esme.connect(smsc)
        await smsc.end(other)
        await Esme.bound(smsc)


@in_a_loop
async def test_it_can_be_stopped_while_it_is_away() -> None:
    async with operator(still()) as smsc:
        await smsc.begin(AWAY)
        await smsc.stop()
        await smsc.end(AWAY)
        with pytest.raises(ConnectionRefusedError):
            await Esme.connect(smsc)


@in_a_loop
async def test_what_ends_without_having_begun_changes_nothing() -> None:
    async with operator(still()) as smsc:
        await smsc.end(AWAY)
        await Esme.bound(smsc)


@in_a_loop
async def test_a_script_lets_it_come_and_go_and_come_again() -> None:
    seen: list[bool] = []
    troubles = (Scheduled(trouble=THROTTLED, after=0.05, lasts=0.05, every=0.1),)
    async with operator(still(), behaviour=Behaviour(troubles=troubles)) as smsc:

        def changes() -> int:
            if not seen or seen[-1] is not bool(smsc.troubles):
                seen.append(bool(smsc.troubles))
            return len(seen)

        await eventually(lambda: changes() >= 5)
    assert seen[:5] == [False, True, False, True, False]


@in_a_loop
async def test_once_is_once() -> None:
    troubles = (Scheduled(trouble=REFUSING, after=0, lasts=0),)
    async with operator(still(), behaviour=Behaviour(troubles=troubles)) as smsc:
        await asyncio.sleep(0.05)
        assert (await (await Esme.bound(smsc)).submit("33611230005")).status == 0


@in_a_loop
async def test_what_is_refused_stands_in_the_log_file(tmp_path: Path) -> None:
    async with operator(still(), journal=tmp_path / "smsc.log") as smsc:
        esme = await Esme.bound(smsc)
        await smsc.begin(FULL)
        await esme.submit("33691230005")
    assert '"status":20' in (tmp_path / "smsc.log").read_text()
