"""Receipts on their way through the log: slowed down before it is full, sent again when it has lost them."""

import asyncio
import random
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from esito.domain.errors import StoreUnavailable
from esito.domain.receipt import DeliveryReceipt
from esito.receipt_log import consumer as consumer_module
from esito.receipt_log import publisher as publisher_module
from esito.receipt_log.consumer import Consumer
from esito.receipt_log.interface import LogUnavailable
from esito.receipt_log.jetstream import JetStreamLog
from esito.receipt_log.publisher import Publisher
from esito.receipt_log.spool import Spool
from esito.store.interface.store import Store
from tests.kit.builders import complaints, links_in, receipt
from tests.kit.nats import a_stream, log_on, shared_servers
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
async def receipt_log() -> AsyncIterator[JetStreamLog]:
    servers = await asyncio.to_thread(shared_servers)
    async with log_on(servers, stream=a_stream(), most=ROOM) as opened:
        yield opened
        await opened.remove()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look often: what takes seconds in production takes tenths here."""
    monkeypatch.setattr(publisher_module, "LOOK_EVERY", 0.05)
    monkeypatch.setattr(publisher_module, "SEND_AGAIN_AFTER", 0.5)
    monkeypatch.setattr(consumer_module, "TIDY_EVERY", 0.1)


@asynccontextmanager
async def at_work(*parts: Publisher | Consumer) -> AsyncIterator[None]:
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
    store: Store, receipt_log: JetStreamLog, spool: Spool
) -> None:
    publisher = Publisher(gateway="one", receipt_log=receipt_log, spool=spool, store=store)
    accepted, slowed = 0, {"before": False, "beyond": False}
    async with at_work(publisher):
        while True:
            filled, took = (await receipt_log.lag()).filled, Stopwatch()
            try:
                await publisher.publish(some(accepted, 20))
            except StoreUnavailable as error:
                reason = str(error)
                break
            place = "beyond" if filled > publisher_module.SLOW_FROM + 0.05 else "before"
            slowed[place] |= took.at_least(0.25)
            accepted += 20
            await asyncio.sleep(0.12)  # it has looked again
        assert "the workers are behind" in reason
        filled = (await receipt_log.lag()).filled
        assert publisher_module.STOP_FROM <= filled < 1
        assert slowed["beyond"], "nothing slowed it down"

        async with at_work(Consumer(receipt_log=receipt_log, store=store)):  # the workers are back

            async def takes_again() -> bool:
                try:
                    await publisher.publish(some(accepted, 1))
                except StoreUnavailable:
                    return False
                return True

            await until(takes_again)

            async def all_there() -> bool:
                return len(await kept(store)) == accepted + 1

            await until(all_there)


async def test_receipts_that_together_are_too_long_for_a_record_go_in_several(store: Store, spool: Spool) -> None:
    servers = await asyncio.to_thread(shared_servers)
    async with log_on(servers, stream=a_stream()) as receipt_log:
        publisher = Publisher(gateway="one", receipt_log=receipt_log, spool=spool, store=store)
        async with at_work(publisher, Consumer(receipt_log=receipt_log, store=store)):
            # 128 KiB is the longest PDU there is.
            long, short = some(0, 24, size=128 * 1024), some(24, 300)
            await asyncio.gather(
                publisher.publish([*short, *long]), *(publisher.publish([one]) for one in some(324, 20, size=128_000))
            )

            async def all_there() -> bool:
                return len(await kept(store)) == 344

            await until(all_there)
        assert not await store.frames.poison()
        await receipt_log.remove()


class Losing:
    """A log that acknowledges some records and forgets them, as one was seen to do."""

    def __init__(self, receipt_log: JetStreamLog, lost: Sequence[int]) -> None:
        self._log = receipt_log
        self._lost = set(lost)
        self._count = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._log, name)

    async def append(self, record: bytes) -> None:
        self._count += 1
        if self._count not in self._lost:
            await self._log.append(record)


async def test_what_the_log_has_lost_is_sent_again_by_itself(
    store: Store, receipt_log: JetStreamLog, spool: Spool
) -> None:
    losing: Any = Losing(receipt_log, [2, 4, 5])  # the last two are overtaken by nothing
    publisher = Publisher(gateway="one", receipt_log=losing, spool=spool, store=store)
    async with at_work(publisher, Consumer(receipt_log=receipt_log, store=store)):
        for first in range(5):
            await publisher.publish(some(first, 1))

        async def all_confirmed() -> bool:
            return spool.count == 0

        await until(all_confirmed)
    assert await kept(store) == [f"r{number}" for number in range(5)]
    assert [(mark.confirmed, mark.beyond) for mark in await store.frames.marks("one")] == [(5, ())]


async def test_what_a_former_process_could_not_say_to_the_log_is_said_by_the_next(
    store: Store, receipt_log: JetStreamLog, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publisher_module, "PATIENCE", 0.3)

    class Gone:
        def __getattr__(self, name: str) -> Any:
            return getattr(receipt_log, name)

        async def append(self, _: bytes) -> None:
            raise LogUnavailable("no server answers")

    gone: Any = Gone()
    async with at_work(former := Publisher(gateway="one", receipt_log=gone, spool=spool, store=store)):
        with pytest.raises(StoreUnavailable, match="did not take a frame"):
            await former.publish(some(1, 1))
    assert spool.count == 1

    async with at_work(
        Publisher(gateway="one", receipt_log=receipt_log, spool=spool, store=store),
        Consumer(receipt_log=receipt_log, store=store),
    ):

        async def all_confirmed() -> bool:
            return spool.count == 0

        await until(all_confirmed)
    assert await kept(store) == ["r1"]


async def test_what_is_no_frame_is_set_aside_and_listed_and_holds_nothing_up(
    store: Store, receipt_log: JetStreamLog, spool: Spool
) -> None:
    await receipt_log.append(b"EF\x02 by another program")
    publisher = Publisher(gateway="one", receipt_log=receipt_log, spool=spool, store=store)
    async with at_work(publisher, Consumer(receipt_log=receipt_log, store=store)):
        await publisher.publish(some(1, 1))

        async def both_are_there() -> bool:
            return bool(await store.frames.poison()) and spool.count == 0

        await until(both_are_there)
    (poison,) = await store.frames.poison()
    assert poison.content == b"EF\x02 by another program"
    assert "checksum is wrong" in poison.reason
    assert await kept(store) == ["r1"]
