"""The worker's side of the log: applies frames in batches, and only then acknowledges them."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from time import monotonic, perf_counter

import structlog

from esito import metrics
from esito.domain.errors import StoreError, StoreUnavailable, UnknownLink
from esito.receipt_log.frames import Damaged, Frame, decode
from esito.receipt_log.gaps import Gap, Gaps, sentence
from esito.receipt_log.interface import LogRecord, LogUnavailable, ReceiptLog
from esito.store.interface.frame_store import NumberedFrame
from esito.store.interface.store import Store

log = structlog.get_logger()

AT_ONCE = 2
"""Batches at a time: one is applied while the next is fetched."""

FRAMES = 64
RECEIPTS = 8000
"""Frames and receipts of one transaction: more would only delay other writers."""

TAKE_WITHIN = 5.0
REST = 0.5
TIDY_EVERY = 5.0


class Consumer:
    """Applies the frames of the log to the store."""

    def __init__(self, *, receipt_log: ReceiptLog, store: Store, on_moved: Callable[[], None] = lambda: None) -> None:
        """Call `on_moved` whenever recipients have moved."""
        self._log = receipt_log
        self._store = store
        self._on_moved = on_moved
        self._gaps = Gaps(store)
        self._known: list[Gap] = []

    async def run(self) -> None:
        """Apply frames until cancelled."""
        async with asyncio.TaskGroup() as group:
            for _ in range(AT_ONCE):
                group.create_task(self._work(), name="consumer")
            group.create_task(self._tidy(), name="consumer tidy")

    async def _work(self) -> None:
        while True:
            try:
                records = await self._log.take(FRAMES, within=TAKE_WITHIN)
                for batch in await self._read(records):
                    await self._keep(batch)
            except (LogUnavailable, StoreUnavailable, UnknownLink) as error:
                # Records that were not acknowledged come again.
                log.warning("intake_put_off", reason=str(error))
                await asyncio.sleep(REST)

    async def _read(self, records: Sequence[LogRecord]) -> list[list[tuple[LogRecord, Frame]]]:
        good = []
        for record in records:
            try:
                good.append((record, decode(record.data)))
            except Damaged as error:
                # Its gateway still has the frame, and sends it again once it is missing.
                await self._set_aside(record, str(error))
        return list(_batches(good))

    async def _keep(self, batch: Sequence[tuple[LogRecord, Frame]]) -> None:
        began = perf_counter()
        frames = [NumberedFrame(*frame) for _, frame in batch]
        try:
            applied = await self._store.frames.apply(frames)
        except StoreError:
            await self._log.again([record for record, _ in batch])
            raise
        except Exception as error:
            if len(batch) == 1:
                await self._give_up(*batch[0], error)
            else:
                for one in batch:
                    await self._keep([one])
            return
        metrics.frames_applied(applied.frames, applied.verdicts, perf_counter() - began)
        await self._log.done([record for record, _ in batch])
        if applied.moved:
            self._on_moved()

    async def _give_up(self, record: LogRecord, frame: Frame, error: Exception) -> None:
        """Set aside an intact frame that the store cannot apply, and count its number as received."""
        await self._set_aside(record, f"frame {frame.sequence} of {frame.gateway}: {error!r}")
        await self._store.frames.apply([NumberedFrame(frame.gateway, frame.epoch, frame.sequence, ())])

    async def _set_aside(self, record: LogRecord, reason: str) -> None:
        log.error("poison_set_aside", place=record.place, reason=reason)
        await self._store.frames.set_aside(record.place, record.data, reason=reason, at=record.at)
        metrics.frame_set_aside()
        await self._log.done([record])

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
    """Apply all records of the log from an instant (ms UTC) on; return how many frames, and how many new ones.

    Frames that the store has are skipped. Raises LogUnavailable, StoreError.
    """
    seen = new = 0
    async for records in receipt_log.since(since):
        frames = []
        for record in records:
            try:
                frames.append((record, decode(record.data)))
            except Damaged as error:
                log.warning("poison_seen", place=record.place, reason=str(error))
        seen += len(frames)
        for batch in _batches(frames):
            new += (await store.frames.apply([NumberedFrame(*frame) for _, frame in batch])).frames
    return seen, new


def _batches(frames: Sequence[tuple[LogRecord, Frame]]) -> Iterator[list[tuple[LogRecord, Frame]]]:
    batch: list[tuple[LogRecord, Frame]] = []
    count = 0
    for one in frames:
        if batch and count + len(one[1].receipts) > RECEIPTS:
            yield batch
            batch, count = [], 0
        batch.append(one)
        count += len(one[1].receipts)
    if batch:
        yield batch
