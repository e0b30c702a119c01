"""Which links are passed over, and that what waits for them leaves by others."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import msgspec
import pytest

from esito.domain.pricing import PriceList
from esito.domain.routing import Routes, Serving, shares_by_prefix
from esito.domain.states import MessageState
from esito.domain.timing import SECOND_MS, PushableClock
from esito.lifecycle.accept import Acceptance, Draft
from esito.lifecycle.receive import Receiver
from esito.lifecycle.submit import Submitter
from esito.links.availability import PASSED_OVER_AFTER, Availability, note_published
from esito.links.gateway import Gateway
from esito.links.smpp_link import SmppLink
from esito.simulator.smsc import Smsc, SmscSettings
from esito.smpp.connect import SmppSettings
from esito.store.interface.link_store import LeaseLine, LinkRecord
from esito.store.sqlite import SqliteStore
from tests.kit.builders import account_in, states_of
from tests.kit.patience import PATIENCE

pytestmark = pytest.mark.anyio

NUMBERS = [f"+336{number:04d}0001" for number in range(40)]


class Seconds:
    """A time that moves when it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_a_link_is_passed_over_once_it_was_unusable_for_a_while() -> None:
    seconds = Seconds()
    availability = Availability(["alpha", "beta"], seconds=seconds)
    availability.note("beta", is_usable=True)
    assert availability.passed_over() == set()
    seconds.now += PASSED_OVER_AFTER
    availability.note("beta", is_usable=False)
    assert availability.passed_over() == {"alpha"}
    availability.note("alpha", is_usable=True)
    seconds.now += PASSED_OVER_AFTER
    availability.note("beta", is_usable=False)
    assert availability.passed_over() == {"beta"}


@pytest.mark.parametrize(
    ("left_ms", "told", "passed_over"),
    [
        (5_000, {"usable": True, "name": "alpha"}, set()),
        (5_000, {"usable": False}, {"alpha"}),
        (5_000, {}, {"alpha"}),
        (5_000, None, {"alpha"}),
        (-1, {"usable": True}, {"alpha"}),
    ],
)
def test_what_others_say_of_their_links_counts_while_their_lease_lasts(
    left_ms: int, told: dict[str, object] | None, passed_over: set[str]
) -> None:
    seconds = Seconds()
    availability = Availability(seconds=seconds)
    line = LeaseLine("link:alpha", "they", 1, left_ms, "" if told is None else msgspec.json.encode(told).decode())
    for _ in range(2):
        note_published(availability, [line, LeaseLine("chore:replies", "they", 1, 5_000, "")], names=["alpha"])
        seconds.now += PASSED_OVER_AFTER
    assert availability.passed_over() == passed_over


def test_a_link_that_nobody_ever_held_is_passed_over() -> None:
    seconds = Seconds()
    availability = Availability(seconds=seconds)
    note_published(availability, [], names=["alpha"])
    seconds.now += PASSED_OVER_AFTER
    assert availability.passed_over() == {"alpha"}


async def test_a_link_throttled_to_its_floor_is_not_usable_one_that_is_slow_by_choice_is(
    store: SqliteStore, clock: PushableClock
) -> None:
    async with operators(1, clock) as (smsc,):
        gateway = Gateway(Receiver(store=store, clock=clock))
        links = [link_to(smsc, "quick", gateway, throughput=2.0), link_to(smsc, "slow", gateway, throughput=1.0)]
        for link in links:
            gateway.add(link.settings.name, partial(submitting, store, clock, link))
            assert not link.usable
            await link.start()
        async with asyncio.timeout(PATIENCE):
            while not all(link.usable for link in links):
                await asyncio.sleep(0.01)
        for link in links:
            for instant in range(5):
                link.throttle.throttled(asyncio.get_running_loop().time() + 2.0 * instant)
        assert [link.usable for link in links] == [False, True]
        for link in links:
            await link.stop()


# -- with operators ----------------------------------------------------------------------------


@asynccontextmanager
async def operators(count: int, clock: PushableClock) -> AsyncIterator[list[Smsc]]:
    started = [Smsc(SmscSettings(port=0, seed=seed), clock=clock) for seed in range(count)]
    for smsc in started:
        await smsc.start()
    try:
        yield started
    finally:
        for smsc in started:
            await smsc.stop()


def link_to(smsc: Smsc, name: str, gateway: Gateway, *, throughput: float = 0.0) -> SmppLink:
    settings = SmppSettings(
        name=name, host="127.0.0.1", port=smsc.port, system_id="smsc", password="secret",
        throughput=throughput, rebind_max=0.2, rebind_min=0.1,
    )  # fmt: skip
    return SmppLink(settings, gateway)


def submitting(store: SqliteStore, clock: PushableClock, link: SmppLink) -> tuple[SmppLink, Submitter]:
    return link, Submitter(store=store, clock=clock, link=link)


async def test_what_waits_for_a_dead_link_leaves_by_the_other_and_comes_back_with_it(
    store: SqliteStore, clock: PushableClock
) -> None:
    account = await account_in(store)
    serving = [Serving("alpha", ("+33",), weight=3), Serving("beta", ("+33",), weight=1)]
    await store.register_links([LinkRecord(name=one.name, operator=one.name) for one in serving])
    routes = [share.route for shares in shares_by_prefix(serving).values() for share in shares]
    acceptance = Acceptance(
        store=store,
        clock=clock,
        routes=Routes.of(serving, await store.register_routes(routes)),
        prices=PriceList(),
    )

    async def send() -> int:
        draft = Draft(account=account, texts=("ciao",), numbers=[(number, 0) for number in NUMBERS])
        return (await acceptance.accept(draft)).message_id

    async def left_by(message_id: int) -> list[str]:
        found = []
        for number in NUMBERS:
            evidence = await store.evidence_of(account.id, message_id, number)
            assert evidence is not None
            found.append(evidence.link)
        return found

    async def delivered(message_id: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while set(await states_of(store, account, message_id)) != {MessageState.DELIVERED}:
                clock.advance(SECOND_MS)
                await asyncio.sleep(0.02)

    async with operators(2, clock) as (first, second):
        gateway = Gateway(Receiver(store=store, clock=clock))

        def make(smsc: Smsc, name: str) -> tuple[SmppLink, Submitter]:
            link = link_to(smsc, name, gateway)
            return link, Submitter(store=store, clock=clock, link=link, passed_over=gateway.passed_over)

        gateway.add("alpha", partial(make, first, "alpha"))
        gateway.add("beta", partial(make, second, "beta"))
        await gateway.start()
        both = await send()
        await delivered(both)
        shared = await left_by(both)
        assert (shared.count("alpha"), shared.count("beta")) == (30, 10)
        await first.stop()
        alone = await send()
        await delivered(alone)
        assert set(await left_by(alone)) == {"beta"}
        await gateway.stop()
