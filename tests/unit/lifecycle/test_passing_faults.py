"""What becomes of segments that an operator refuses for a while, and of those beside them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from esito.domain.account import Account
from esito.domain.retrying import RetryRule, RetryTable
from esito.domain.states import MessageState
from esito.domain.timing import SECOND_MS, PushableClock
from esito.lifecycle.receive import Receiver
from esito.lifecycle.submit import Submitter
from esito.links.gateway import Gateway
from esito.links.smpp_link import SmppLink
from esito.smpp import pdu as p
from esito.smpp.connect import SmppSettings
from esito.store.sqlite import SqliteStore
from tests.kit import looking
from tests.kit.builders import account_in, links_in, message, states_of
from tests.kit.patience import in_time, until
from tests.kit.peer import Peer, peer

pytestmark = pytest.mark.anyio

FULL, GOOD = range(33600000000, 33600000300), range(33700000000, 33700000020)


@dataclass(slots=True, kw_only=True)
class Scene:
    store: SqliteStore
    clock: PushableClock
    account: Account
    smsc: Peer
    gateway: Gateway

    @property
    def link(self) -> SmppLink:
        ((link, _),) = self.gateway._made.values()
        return link

    async def send(self, *numbers: int) -> int:
        number = await self.store.accept(message(self.account, numbers))
        self.gateway.wake()
        return number

    def sent(self) -> list[p.SubmitSm]:
        found = [pdu for session in self.smsc.sessions for pdu in session.of(p.SubmitSm)]
        return [pdu for pdu in found if isinstance(pdu, p.SubmitSm)]

    async def all_answered(self) -> None:
        """Return once nothing waits for its first try or an answer."""
        async with in_time():
            while (counts := await self.store.counts()).queued or counts.unanswered:
                await asyncio.sleep(0.01)

    async def ends(self, number: int, *states: MessageState) -> None:
        async with in_time():
            while await states_of(self.store, self.account, number) != list(states):
                await asyncio.sleep(0.01)
                self.clock.advance(SECOND_MS)


@asynccontextmanager
async def scene(
    store: SqliteStore, clock: PushableClock, on_submit: Callable[[p.SubmitSm], p.Pdu | None], **settings: Any
) -> AsyncIterator[Scene]:
    account = await account_in(store)
    await links_in(store)
    async with peer(on_submit=on_submit) as smsc:
        gateway = Gateway(Receiver(store=store, clock=clock))
        usual: dict[str, Any] = {
            "name": "alpha", "host": "127.0.0.1", "port": smsc.port, "system_id": "smsc", "password": "secret",
            "rebind_min": 0.01, "rebind_max": 0.05,
        }  # fmt: skip

        def make() -> tuple[SmppLink, Submitter]:
            link = SmppLink(SmppSettings(**{**usual, **settings}), gateway)
            return link, Submitter(store=store, clock=clock, link=link)

        gateway.add("alpha", make)
        await gateway.start()
        try:
            yield Scene(store=store, clock=clock, account=account, smsc=smsc, gateway=gateway)
        finally:
            await gateway.stop()


def answers(*statuses: int, nack: bool = False) -> Callable[[p.SubmitSm], p.Pdu]:
    """Answer with these, one after the other; then take everything."""
    left = list(statuses)

    def answer(pdu: p.SubmitSm) -> p.Pdu:
        status = left.pop(0) if left else 0
        if status and nack:
            return p.GenericNack(sequence=pdu.sequence, status=status)
        return p.SubmitSmResp(sequence=pdu.sequence, status=status, message_id="" if status else "7")

    return answer


async def phases(store: SqliteStore) -> list[tuple[int, int, int | None]]:
    return [(a, b, c) for a, b, c in await looking.rows(store, "SELECT phase, attempts, status FROM segment")]


@pytest.mark.parametrize("status", [0x04, 0x08, 0x0D, 0x14, 0x58, 0x64])
async def test_a_passing_fault_does_not_fail_a_message(store: SqliteStore, clock: PushableClock, status: int) -> None:
    async with scene(store, clock, answers(status, status)) as one:
        await one.send(FULL[0])
        async with in_time():
            while await phases(store) != [(3, 3, 0)]:
                await asyncio.sleep(0.01)
                clock.advance(SECOND_MS)


async def test_a_generic_nack_is_tried_three_times_more(store: SqliteStore, clock: PushableClock) -> None:
    async with scene(store, clock, answers(*[3] * 9, nack=True)) as one:
        number = await one.send(FULL[0])
        await one.ends(number, MessageState.REJECTED)
        assert len(one.sent()) == 4
        assert len(one.smsc.sessions) == 1


async def test_what_is_refused_as_often_as_the_table_says_has_failed(store: SqliteStore, clock: PushableClock) -> None:
    table = RetryTable({0x400: RetryRule(times=2)})
    async with scene(store, clock, answers(*[0x400] * 9), retries=table) as one:
        number = await one.send(FULL[0])
        await one.ends(number, MessageState.REJECTED)
        assert len(one.sent()) == 3


async def test_an_smsc_that_has_lost_our_bind_is_bound_anew_and_one_message_tries_it(
    store: SqliteStore, clock: PushableClock
) -> None:
    def answer(pdu: p.SubmitSm) -> p.Pdu:
        lost = len(one.smsc.sessions) < 3
        return p.SubmitSmResp(sequence=pdu.sequence, status=0x04 if lost else 0, message_id="" if lost else "7")

    async with scene(store, clock, answer, window=10) as one:
        number = await one.send(*FULL[:30])
        async with in_time():
            while [phase for phase, _, _ in await phases(store)] != [3] * 30:
                await asyncio.sleep(0.01)
                clock.advance(SECOND_MS)
        assert await states_of(store, one.account, number) == [MessageState.WAITING] * 30
        first, second, _ = [len(session.of(p.SubmitSm)) for session in one.smsc.sessions]
        assert (first <= 10, second) == (True, 1)
        assert [len(session.of(p.Unbind)) for session in one.smsc.sessions[:2]] == [1, 1]


def full(pdu: p.SubmitSm) -> p.Pdu:
    """Find every destination of `FULL` full, for ever."""
    status = 0x14 if pdu.destination_addr.startswith("336") else 0
    return p.SubmitSmResp(sequence=pdu.sequence, status=status, message_id="" if status else pdu.destination_addr)


@pytest.mark.slow
async def test_destinations_that_are_full_hold_up_no_others(store: SqliteStore, clock: PushableClock) -> None:
    async with scene(store, clock, full, throughput=500.0) as one:
        await one.send(*FULL)
        await one.all_answered()
        for _ in range(3):  # all of them are due again, and refused again
            clock.advance(600 * SECOND_MS)
            before = len(one.sent())
            await until(lambda: len(one.sent()) >= before + 300)  # noqa: B023
            await one.all_answered()
        clock.advance(600 * SECOND_MS)
        await one.send(*GOOD)
        good = {f"{number}" for number in GOOD}
        await until(lambda: good <= {pdu.destination_addr for pdu in one.sent()})
        last = max(place for place, pdu in enumerate(one.sent()) if pdu.destination_addr in good)
        assert last <= 300 * 5 + 20, "each of the others went once more at the most"
        assert one.link.throttle.rate > 50, "it is at the floor"


async def test_a_few_full_destinations_do_not_slow_the_link(store: SqliteStore, clock: PushableClock) -> None:
    async with scene(store, clock, full, throughput=500.0) as one:
        # However many answers one read brings, never most of them are of a full one.
        await one.send(*(number for pair in zip(GOOD[:19], FULL, strict=False) for number in pair))
        await one.all_answered()
        assert one.link.throttle.rate == 500


async def test_an_operator_that_is_full_itself_slows_the_link(store: SqliteStore, clock: PushableClock) -> None:
    async with scene(store, clock, full, throughput=500.0) as one:
        await one.send(*FULL[:100])
        await one.all_answered()
        assert one.link.throttled_count == 100
        assert one.link.throttle.rate < 500


async def test_a_stopping_gateway_keeps_the_answers_it_is_owed(store: SqliteStore, clock: PushableClock) -> None:
    async with scene(store, clock, lambda _: None, window=100) as one:
        await one.send(*FULL[:100])
        sent = await one.smsc.came(p.SubmitSm, 100)
        stopping = asyncio.create_task(one.gateway.stop())
        await until(lambda: one.link.room == 0)
        session = one.smsc.session
        session.say(*(p.SubmitSmResp(sequence=pdu.sequence, message_id=f"{pdu.sequence}") for pdu in sent[:50]))
        await until(lambda: one.link.window_in_use == 50)
        assert not stopping.done()
        session.say(*(p.SubmitSmResp(sequence=pdu.sequence, message_id=f"{pdu.sequence}") for pdu in sent[50:]))
        await stopping
        assert len(session.of(p.Unbind)) == 1
    assert {phase for phase, _, _ in await phases(store)} == {3}
    assert await store.recover(clock.now()) == 0


async def test_a_link_that_another_process_has_taken_over_is_left_soon(
    store: SqliteStore, clock: PushableClock
) -> None:
    async with scene(store, clock, lambda _: None) as one:
        await one.send(FULL[0])
        await one.smsc.came(p.SubmitSm)
        await one.gateway.stop_link("alpha", patience=0.1)
        assert len(one.smsc.session.of(p.Unbind)) == 1
    assert [phase for phase, _, _ in await phases(store)] == [5]
