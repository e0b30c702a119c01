"""The whole life of a message in one process: a real link, bound to the simulator, on a real store."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from esito.domain.account import Account
from esito.domain.message import Submission
from esito.domain.pricing import PriceList
from esito.domain.routing import Routes
from esito.domain.states import MessageState
from esito.domain.timing import SECOND_MS, PushableClock
from esito.lifecycle.accept import Acceptance, Draft
from esito.lifecycle.receive import Receiver
from esito.lifecycle.submit import Submitter
from esito.links.gateway import Gateway
from esito.links.smpp_link import SmppLink
from esito.simulator.smsc import Smsc, SmscSettings
from esito.smpp.connect import SmppSettings
from esito.store.sqlite import SqliteStore
from tests.kit import looking
from tests.kit.builders import NOW, account_in, links_in, message, states_of
from tests.kit.patience import in_time

pytestmark = pytest.mark.anyio


@dataclass(slots=True, kw_only=True)
class House:
    store: SqliteStore
    clock: PushableClock
    gateway: Gateway
    acceptance: Acceptance
    account: Account

    async def send(self, *numbers: str, text: str = "ciao") -> int:
        draft = Draft(account=self.account, texts=(text,), numbers=[(number, 0) for number in numbers], sender="ESITO")
        return (await self.acceptance.accept(draft)).message_id

    async def ends(self, message_id: int, *states: MessageState, push: bool = True) -> None:
        """Return once the recipients have these states; time passes a second at a go unless it stands still."""
        async with in_time():
            while await states_of(self.store, self.account, message_id) != list(states):
                await asyncio.sleep(0.01)
                self.clock.advance(SECOND_MS if push else 0)

    async def submitted(self) -> None:
        """Return once nothing waits to be submitted or answered."""
        async with in_time():
            while (counts := await self.store.counts()).queued or counts.unanswered:
                await asyncio.sleep(0.005)


@asynccontextmanager
async def house(store: SqliteStore, clock: PushableClock, account: Account | None = None) -> AsyncIterator[House]:
    smsc = Smsc(SmscSettings(port=0, seed=1), clock=clock)
    await smsc.start()
    account, numbers = account or await account_in(store), await links_in(store)
    gateway = Gateway(Receiver(store=store, clock=clock))
    settings = SmppSettings(name="alpha", host="127.0.0.1", port=smsc.port, system_id="smsc", password="secret")

    def make() -> tuple[SmppLink, Submitter]:
        link = SmppLink(settings, gateway)
        return link, Submitter(store=store, clock=clock, link=link)

    gateway.add("alpha", make)
    routes = Routes(prefixes={"": "alpha"}, numbers=numbers)
    acceptance = Acceptance(store=store, clock=clock, routes=routes, prices=PriceList(), on_accepted=gateway.wake)
    await gateway.start()
    try:
        yield House(store=store, clock=clock, gateway=gateway, acceptance=acceptance, account=account)
    finally:
        await gateway.stop()
        await smsc.stop()


async def test_every_fate_ends_as_the_operator_says(store: SqliteStore, clock: PushableClock) -> None:
    S = MessageState  # noqa: N806  as in the table of states
    async with house(store, clock) as one:
        fates = {
            "+33600000001": S.DELIVERED, "+33600000002": S.UNDELIVERABLE, "+33600000004": S.REJECTED,
            "+33600000007": S.DELIVERED, "+33600000008": S.DELIVERED, "+33600000009": S.DELIVERED,
            "+33600000010": S.DELIVERED, "+33600000011": S.DELIVERED, "+33600000013": S.DELIVERED,
            "+33600000015": S.DELIVERED,
        }  # fmt: skip
        number = await one.send(*fates)
        await one.ends(number, *fates.values())


async def test_a_throttled_message_is_submitted_until_it_is_taken_ever_more_slowly(
    store: SqliteStore, clock: PushableClock
) -> None:
    async with house(store, clock) as one:
        number = await one.send("+33600000014")
        await one.ends(number, MessageState.DELIVERED)
        # Three refusals: pauses of one, two and four seconds.
        assert clock.now() >= NOW + 7 * SECOND_MS


async def test_a_message_of_many_segments_is_delivered_when_all_of_them_are(
    store: SqliteStore, clock: PushableClock
) -> None:
    async with house(store, clock) as one:
        number = await one.send("+33600000001", "+33600000002", text="x" * 400)
        await one.ends(number, MessageState.DELIVERED, MessageState.UNDELIVERABLE)


async def test_an_accepted_message_leaves_at_once_though_time_stands_still(
    store: SqliteStore, clock: PushableClock
) -> None:
    async with house(store, clock) as one:
        number = await one.send("+33600000001")
        await one.ends(number, MessageState.DELIVERED, push=False)
        assert clock.now() == NOW


async def test_what_was_answered_is_kept_when_the_gateway_stops(store: SqliteStore, clock: PushableClock) -> None:
    async with house(store, clock) as one:
        numbers = [f"+3360{number:03d}0005" for number in range(300)]
        await one.send(*numbers)
        await asyncio.sleep(0.02)
    counts = await store.counts()
    assert counts.unanswered == 0
    assert (await store.recover(clock.now())) == 0


async def test_what_is_being_claimed_when_the_gateway_stops_is_submitted_by_the_next(
    store: SqliteStore, clock: PushableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = store.claim
    claimed = asyncio.Event()

    async def slowly(*about: Any, **more: Any) -> list[Submission]:
        found = await claim(*about, **more)
        claimed.set()
        await asyncio.sleep(0.1)
        return found

    async with house(store, clock) as one:
        monkeypatch.setattr(store, "claim", slowly)
        number = await one.send("+33600000001", "+33600000002")
        await claimed.wait()
    monkeypatch.undo()
    assert await looking.rows(store, "SELECT phase FROM segment") == [(2,), (2,)], "they were not put off"
    assert (await store.recover(clock.now())) == 0
    async with house(store, clock, account=one.account) as next_one:
        await next_one.ends(number, MessageState.DELIVERED, MessageState.UNDELIVERABLE)


async def test_a_segment_of_which_no_submit_sm_can_be_made_is_refused_alone(
    store: SqliteStore, clock: PushableClock
) -> None:
    async with house(store, clock) as one:
        numbers = [33600000001, 33600000002]
        bad = await store.accept(message(one.account, numbers[:1], segments=2, text="there is no second segment"))
        good = await store.accept(message(one.account, numbers))
        await one.ends(good, MessageState.DELIVERED, MessageState.UNDELIVERABLE)
        await one.ends(bad, MessageState.REJECTED)


async def test_a_stopped_gateway_submits_nothing_more(store: SqliteStore, clock: PushableClock) -> None:
    async with house(store, clock) as one:
        await one.send("+33600000001")
        await one.submitted()
    await one.send("+33600000001")
    await asyncio.sleep(0.05)
    assert (await store.counts()).queued == 1


async def test_the_links_at_work_are_listed(store: SqliteStore, clock: PushableClock) -> None:
    async with house(store, clock) as one:
        assert [link.settings.name for link in one.gateway.links] == ["alpha"]
