"""Receipts on their way through the log: slowed down before it is full, sent again when it has lost them."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from esito.bus.base import BusUnavailable
from esito.bus.nats import JetStreamBus
from esito.bus.spool import Spool
from esito.domain.errors import StoreUnavailable
from esito.domain.receipt import DeliveryReceipt
from esito.lifecycle import intake as intake_module
from esito.lifecycle import relay as relay_module
from esito.lifecycle.intake import Intake
from esito.lifecycle.relay import Relay
from esito.store.base import Store
from tests.kit.builders import complaints, links_in, receipt
from tests.kit.nats import a_stream, bus_on, shared_servers
from tests.kit.needs import needs
from tests.kit.patience import Stopwatch, until
from tests.kit.stores import a_store

pytestmark = [pytest.mark.anyio, needs("postgres", "nats")]

ROOM = 400_000
"""Octets of a small log."""


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    made = Spool(tmp_path / "spool")
    made.open()
    yield made
    made.close()


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with a_store("postgres", tmp_path) as opened:
        await links_in(opened)
        yield opened
        assert await complaints(opened) == []


@pytest.fixture
async def bus() -> AsyncIterator[JetStreamBus]:
    servers = await asyncio.to_thread(shared_servers)
    async with bus_on(servers, stream=a_stream(), most=ROOM) as opened:
        yield opened
        await opened.remove()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look often: what takes seconds in production takes tenths here."""
    monkeypatch.setattr(relay_module, "LOOK_EVERY", 0.05)
    monkeypatch.setattr(relay_module, "SEND_AGAIN_AFTER", 0.5)
    monkeypatch.setattr(intake_module, "TIDY_EVERY", 0.1)


@asynccontextmanager
async def at_work(*parts: Relay | Intake) -> AsyncIterator[None]:
    """Run them until the block ends."""
    tasks = [asyncio.ensure_future(part.run()) for part in parts]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def some(first: int, count: int, *, size: int = 500) -> list[DeliveryReceipt]:
    """Make receipts of this many octets, which nothing makes smaller."""
    return [
        receipt(f"r{number}", "DELIVRD")._replace(raw=random.Random(number).randbytes(size))
        for number in range(first, first + count)
    ]


async def kept(store: Store) -> list[str]:
    """Return the ids of all receipts in the store, which match nothing, in order."""
    found = [one.smsc_message_id for one in await store.orphans(after=0, limit=5_000)]
    return sorted(found, key=lambda name: int(name[1:]))


async def test_receipts_are_slowed_down_and_put_off_before_the_log_itself_refuses(
    store: Store, bus: JetStreamBus, spool: Spool
) -> None:
    relay = Relay(gateway="one", bus=bus, spool=spool, store=store)
    accepted, slowed = 0, {"before": False, "beyond": False}
    async with at_work(relay):
        while True:
            filled, took = (await bus.lag()).filled, Stopwatch()
            try:
                await relay.keep(some(accepted, 20))
            except StoreUnavailable as error:
                reason = str(error)
                break
            place = "beyond" if filled > relay_module.SLOW_FROM + 0.05 else "before"
            slowed[place] |= took.at_least(0.25)
            accepted += 20
            await asyncio.sleep(0.12)  # it has looked again
        assert "the workers are behind" in reason
        filled = (await bus.lag()).filled
        assert relay_module.STOP_FROM <= filled < 1
        assert slowed["beyond"], "nothing slowed it down"

        async with at_work(Intake(bus=bus, store=store)):  # the workers are back

            async def takes_again() -> bool:
                try:
                    await relay.keep(some(accepted, 1))
                except StoreUnavailable:
                    return False
                return True

            await until(takes_again)

            async def all_there() -> bool:
                return len(await kept(store)) == accepted + 1

            await until(all_there)


async def test_receipts_that_together_are_too_long_for_a_record_go_in_several(store: Store, spool: Spool) -> None:
    servers = await asyncio.to_thread(shared_servers)
    async with bus_on(servers, stream=a_stream()) as bus:
        relay = Relay(gateway="one", bus=bus, spool=spool, store=store)
        async with at_work(relay, Intake(bus=bus, store=store)):
            # 128 KiB is the longest PDU there is.
            long, short = some(0, 24, size=128 * 1024), some(24, 300)
            await asyncio.gather(
                relay.keep([*short, *long]), *(relay.keep([one]) for one in some(324, 20, size=128_000))
            )

            async def all_there() -> bool:
                return len(await kept(store)) == 344

            await until(all_there)
        assert not await store.intake.poison()
        await bus.remove()


class Losing:
    """A log that acknowledges some records and forgets them, as one was seen to do."""

    def __init__(self, bus: JetStreamBus, lost: Sequence[int]) -> None:
        self._bus = bus
        self._lost = set(lost)
        self._count = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bus, name)

    async def append(self, record: bytes) -> None:
        self._count += 1
        if self._count not in self._lost:
            await self._bus.append(record)


async def test_what_the_log_has_lost_is_sent_again_by_itself(store: Store, bus: JetStreamBus, spool: Spool) -> None:
    losing: Any = Losing(bus, [2, 4, 5])  # the last two are overtaken by nothing
    relay = Relay(gateway="one", bus=losing, spool=spool, store=store)
    async with at_work(relay, Intake(bus=bus, store=store)):
        for first in range(5):
            await relay.keep(some(first, 1))

        async def all_confirmed() -> bool:
            return spool.count == 0

        await until(all_confirmed)
    assert await kept(store) == [f"r{number}" for number in range(5)]
    assert [(mark.confirmed, mark.beyond) for mark in await store.intake.marks("one")] == [(5, ())]


async def test_what_a_former_process_could_not_say_to_the_log_is_said_by_the_next(
    store: Store, bus: JetStreamBus, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay_module, "PATIENCE", 0.3)

    class Gone:
        def __getattr__(self, name: str) -> Any:
            return getattr(bus, name)

        async def append(self, _: bytes) -> None:
            raise BusUnavailable("no server answers")

    gone: Any = Gone()
    async with at_work(former := Relay(gateway="one", bus=gone, spool=spool, store=store)):
        with pytest.raises(StoreUnavailable, match="did not take a frame"):
            await former.keep(some(1, 1))
    assert spool.count == 1

    async with at_work(Relay(gateway="one", bus=bus, spool=spool, store=store), Intake(bus=bus, store=store)):

        async def all_confirmed() -> bool:
            return spool.count == 0

        await until(all_confirmed)
    assert await kept(store) == ["r1"]


async def test_what_is_no_frame_is_set_aside_and_listed_and_holds_nothing_up(
    store: Store, bus: JetStreamBus, spool: Spool
) -> None:
    await bus.append(b"EF\x02 by another program")
    relay = Relay(gateway="one", bus=bus, spool=spool, store=store)
    async with at_work(relay, Intake(bus=bus, store=store)):
        await relay.keep(some(1, 1))

        async def both_are_there() -> bool:
            return bool(await store.intake.poison()) and spool.count == 0

        await until(both_are_there)
    (poison,) = await store.intake.poison()
    assert poison.content == b"EF\x02 by another program"
    assert "checksum is wrong" in poison.reason
    assert await kept(store) == ["r1"]
