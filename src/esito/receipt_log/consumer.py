"""The worker's side of the log: frames are applied in batches, and only then said to be done."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from time import monotonic, perf_counter

import structlog

from esito import metrics
from esito.domain.errors import StoreError, StoreUnavailable, UnknownLink
from esito.receipt_log.frames import Damaged, Frame, decode
from esito.receipt_log.gaps import Gap, Gaps, sentence
from esito.receipt_log.interface import Delivery, LogUnavailable, ReceiptLog
from esito.store.base import Store
from esito.store.intake import Brought

log = structlog.get_logger()

AT_ONCE = 2
"""Batches in work: one is applied while the next is fetched."""

FRAMES = 64
RECEIPTS = 8000
"""In one transaction: more would only keep others waiting longer."""

TAKE_WITHIN = 5.0
REST = 0.5
TIDY_EVERY = 5.0


class Consumer:
    """Applies what the log brings."""

    def __init__(self, *, receipt_log: ReceiptLog, store: Store, on_moved: Callable[[], None] = lambda: None) -> None:
        """Say whom to tell: `on_moved` is called when recipients have moved."""
        self._log = receipt_log
        self._store = store
        self._on_moved = on_moved
        self._gaps = Gaps(store)
        self._known: list[Gap] = []

    async def run(self) -> None:
        """Apply what comes, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(self._work(), name="consumer")
            group.create_task(self._tidy(), name="consumer tidy")

    async def _work(self) -> None:
        while True:
            try:
                deliveries = await self._log.take(FRAMES, within=TAKE_WITHIN)
                for batch in await self._read(deliveries):
                    await self._keep(batch)
            except (LogUnavailable, StoreUnavailable, UnknownLink) as error:
                # What was taken and not said to be done comes again.
                log.warning("intake_put_off", reason=str(error))
                await asyncio.sleep(REST)

    async def _read(self, deliveries: Sequence[Delivery]) -> list[list[tuple[Delivery, Frame]]]:
        good = []
        for delivery in deliveries:
            try:
                good.append((delivery, decode(delivery.data)))
            except Damaged as error:
                # Its gateway has it still and sends it again, as it will be missing.
                await self._set_aside(delivery, str(error))
        return list(_batches(good))

    async def _keep(self, batch: Sequence[tuple[Delivery, Frame]]) -> None:
        began = perf_counter()
        frames = [Brought(*frame) for _, frame in batch]
        try:
            applied = await self._store.intake.apply(frames)
        except StoreError:
            await self._log.again([delivery for delivery, _ in batch])
            raise
        except Exception as error:
            if len(batch) == 1:
                await self._give_up(*batch[0], error)
            else:
                for one in batch:
                    await self._keep([one])
            return
        metrics.frames_applied(applied.frames, applied.verdicts, perf_counter() - began)
        await self._log.done([delivery for delivery, _ in batch])
        if applied.moved:
            self._on_moved()

    async def _give_up(self, delivery: Delivery, frame: Frame, error: Exception) -> None:
        """Set a good frame aside that the store cannot take, and count it as come: its number is not missing."""
        await self._set_aside(delivery, f"frame {frame.sequence} of {frame.gateway}: {error!r}")
        await self._store.intake.apply([Brought(frame.gateway, frame.epoch, frame.sequence, ())])

    async def _set_aside(self, delivery: Delivery, reason: str) -> None:
        log.error("poison_set_aside", place=delivery.place, reason=reason)
        await self._store.intake.set_aside(delivery.place, delivery.data, reason=reason, at=delivery.at)
        metrics.frame_set_aside()
        await self._log.done([delivery])

    async def _tidy(self) -> None:
        while True:
            try:
                removed = await self._log.make_room()
                lag = await self._log.lag()
                metrics.log_stands(waiting=lag.waiting, filled=lag.filled)
                if removed:
                    log.info("log_tidied", removed=removed)
                await self._look_for_gaps()
            except (LogUnavailable, StoreError) as error:
                log.warning("log_cannot_be_asked", reason=str(error))
            await asyncio.sleep(TIDY_EVERY)

    async def _look_for_gaps(self) -> None:
        missing = await self._gaps.look(monotonic())
        for gap in missing:
            if gap not in self._known:
                log.error("frame_missing", reason=sentence(gap))
        self._known = missing
        metrics.frames_missing(len(missing))


async def replay(receipt_log: ReceiptLog, store: Store, *, since: int) -> tuple[int, int]:
    """Apply whatever the log still has from an instant (ms UTC) on; return how many frames, and how many new.

    What the store has already is left as it is. Raises LogUnavailable, StoreError.
    """
    seen = new = 0
    async for deliveries in receipt_log.since(since):
        frames = []
        for delivery in deliveries:
            try:
                frames.append((delivery, decode(delivery.data)))
            except Damaged as error:
                log.warning("poison_seen", place=delivery.place, reason=str(error))
        seen += len(frames)
        for batch in _batches(frames):
            new += (await store.intake.apply([Brought(*frame) for _, frame in batch])).frames
    return seen, new


def _batches(frames: Sequence[tuple[Delivery, Frame]]) -> Iterator[list[tuple[Delivery, Frame]]]:
    batch: list[tuple[Delivery, Frame]] = []
    count = 0
    for one in frames:
        if batch and count + len(one[1].receipts) > RECEIPTS:
            yield batch
            batch, count = [], 0
        batch.append(one)
        count += len(one[1].receipts)
    if batch:
        yield batch
