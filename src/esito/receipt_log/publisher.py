"""The gateway's side of the log: receipts go into the spool and the log before their deliver_sm_resp is sent.

    receipts -> frame -> spool (fdatasync) -> log (a majority has it on disk) -> deliver_sm_resp

We do not trust the log as the only copy. A frame stays in the spool until the store has applied it; a frame that the
log lost is sent again.
"""

import asyncio
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial

import structlog

from esito import metrics
from esito.domain.errors import StoreError, StoreUnavailable
from esito.domain.receipt import DeliveryReceipt
from esito.receipt_log.frames import Frame, encode
from esito.receipt_log.interface import Lag, LogUnavailable, ReceiptLog
from esito.receipt_log.spool import Spool
from esito.store.interface.store import Store

log = structlog.get_logger()

MOST_IN_FRAME = 1000
MOST_OCTETS = 700_000
"""Octets of a frame before it is deflated: servers of the log accept records of up to a million."""
BESIDE_RAW = 256
"""Octets that a receipt takes besides its PDU."""
FRAMES_AT_ONCE = 8
"""Frames in flight to the log; receipts beyond them wait in memory, unacknowledged."""

PATIENCE = 10.0
"""Seconds we try to append a frame before the operator must deliver its receipts again."""

LOOK_EVERY = 1.0
SEND_AGAIN_AFTER = 10.0
"""Seconds a frame may be missing before it is sent again: longer than an election in the log."""

AGAIN_AT_ONCE = 100

SLOW_FROM = 0.6
"""How full the log may be before each receipt is delayed a little ..."""
STOP_FROM = 0.8
"""... and before none is accepted: workers must make room before the log itself refuses."""
SLOWEST = 1.0
"""The longest delay, in seconds."""


class Publisher:
    """Puts receipts into spool and log."""

    def __init__(self, *, gateway: str, receipt_log: ReceiptLog, spool: Spool, store: Store) -> None:
        """Take an open spool and the name under which the store counts this gateway's frames."""
        self.gateway = gateway
        self._log = receipt_log
        self._spool = spool
        self._store = store
        self._waiting: deque[tuple[Sequence[DeliveryReceipt], int, asyncio.Future[None]]] = deque()
        self._awake = asyncio.Event()
        self._on_the_way = asyncio.Semaphore(FRAMES_AT_ONCE)
        self._sending: set[asyncio.Task[None]] = set()
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="spool")
        self._sent_at: dict[int, float] = {}
        # Frames that an earlier process left in the spool may never have reached the log.
        self._began = time.monotonic() - SEND_AGAIN_AFTER + LOOK_EVERY
        self._lag: Lag | None = None
        self.answers = True
        """Whether the log answered the last time."""
        metrics.spool_holds(frames=lambda: spool.count, octets=lambda: spool.octets)

    async def publish(self, receipts: Sequence[DeliveryReceipt]) -> None:
        """Return once spool and log have the receipts. Raises StoreUnavailable: the operator may deliver them again."""
        await self._slow_down()
        loop = asyncio.get_running_loop()
        pieces = [(piece, octets, loop.create_future()) for piece, octets in _pieces(receipts)]
        self._waiting += pieces
        self._awake.set()
        await asyncio.gather(*(kept for _, _, kept in pieces))

    async def _slow_down(self) -> None:
        filled = self._lag.filled if self._lag is not None else 0.0
        if filled >= STOP_FROM or self._spool.full:
            raise StoreUnavailable("the workers are behind; the log has no room for more")
        if filled > SLOW_FROM:
            await asyncio.sleep(SLOWEST * (filled - SLOW_FROM) / (STOP_FROM - SLOW_FROM))

    # -- sending ----------------------------------------------------------------------------------

    async def run(self) -> None:
        """Append frames, and send again what the store misses, until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._send(), name="publisher")
                group.create_task(self._watch(), name="publisher watch")
        finally:
            for task in list(self._sending):
                task.cancel()
            await asyncio.gather(*self._sending, return_exceptions=True)
            for _, _, kept in self._waiting:
                _fail(kept, "we are stopping")
            self._disk.shutdown()

    async def _send(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._awake.wait()
            self._awake.clear()
            while self._waiting:
                await self._on_the_way.acquire()
                batch, futures = self._next_batch()
                try:
                    made = await loop.run_in_executor(self._disk, self._spool.append_many, [partial(self._pack, batch)])
                except OSError as error:
                    log.warning("spool_refuses", reason=str(error))
                    for kept in futures:
                        _fail(kept, f"the spool cannot be written: {error}")
                    self._on_the_way.release()
                    await asyncio.sleep(LOOK_EVERY)
                    continue
                ((sequence, frame),) = made
                task = loop.create_task(self._publish(sequence, frame, futures))
                self._sending.add(task)
                task.add_done_callback(self._sending.discard)

    def _next_batch(self) -> tuple[tuple[DeliveryReceipt, ...], list[asyncio.Future[None]]]:
        receipts: list[DeliveryReceipt] = []
        futures = []
        octets = 0
        while self._waiting:
            some, more, _ = self._waiting[0]
            if receipts and (len(receipts) + len(some) > MOST_IN_FRAME or octets + more > MOST_OCTETS):
                break
            octets += more
            receipts += some
            futures.append(self._waiting.popleft()[2])
        return tuple(receipts), futures

    def _pack(self, receipts: tuple[DeliveryReceipt, ...], sequence: int) -> bytes:
        return encode(Frame(self.gateway, self._spool.epoch, sequence, receipts))

    async def _publish(self, sequence: int, frame: bytes, futures: list[asyncio.Future[None]]) -> None:
        try:
            await self._append(frame)
        except LogUnavailable as error:
            # The frame stays in the spool and is appended later; its receipts are not acknowledged.
            log.warning("frame_put_off", sequence=sequence, reason=str(error))
            self._sent_at[sequence] = time.monotonic() - SEND_AGAIN_AFTER
            for kept in futures:
                _fail(kept, str(error))
        else:
            self._sent_at[sequence] = time.monotonic()
            for kept in futures:
                if not kept.done():
                    kept.set_result(None)
        finally:
            self._on_the_way.release()

    async def _append(self, frame: bytes) -> None:
        give_up = time.monotonic() + PATIENCE
        while not await self._tried(frame):
            if time.monotonic() > give_up:
                raise LogUnavailable(f"the log did not take a frame within {PATIENCE:.0f} s")
            await asyncio.sleep(0.1)

    async def _tried(self, frame: bytes) -> bool:
        with suppress(LogUnavailable):
            await self._log.append(frame)
            return True
        return False

    # -- watching ---------------------------------------------------------------------------------

    async def _watch(self) -> None:
        while True:
            try:
                await self._look()
                self.answers = True
            except (LogUnavailable, StoreError) as error:
                self.answers = not isinstance(error, LogUnavailable)
                log.warning("relay_cannot_look", reason=str(error))
            await asyncio.sleep(LOOK_EVERY)

    async def _look(self) -> None:
        """Drop the frames that the store has; send again those that it should have by now."""
        self._lag = lag = await self._log.lag()  # before the marks, which then cover what was in the log
        confirmed, beyond = await self._marks()
        await asyncio.get_running_loop().run_in_executor(self._disk, self._spool.confirm, confirmed)
        waiting = [number for number in self._spool.unconfirmed() if number not in beyond]
        for number in [one for one in self._sent_at if one <= confirmed]:
            del self._sent_at[number]
        metrics.LOG_FILLED.set(lag.filled)
        overtaken = max(beyond, default=0)
        late = time.monotonic() - SEND_AGAIN_AFTER
        missing = [
            number
            for number in waiting
            if self._sent_at.get(number, self._began) <= late and (number < overtaken or not lag.waiting)
        ]
        for number in missing[:AGAIN_AT_ONCE]:
            await self._send_again(number)

    async def _marks(self) -> tuple[int, frozenset[int]]:
        for mark in await self._store.frames.marks(self.gateway):
            if mark.epoch == self._spool.epoch:
                return mark.confirmed, frozenset(mark.beyond)
        return 0, frozenset()

    async def _send_again(self, number: int) -> None:
        frame = self._spool.one(number)
        if frame is None:
            return
        log.warning("frame_sent_again", gateway=self.gateway, sequence=number, reason="the store does not have it")
        await self._log.append(frame)
        self._sent_at[number] = time.monotonic()
        metrics.frame_sent_again()


def _pieces(receipts: Sequence[DeliveryReceipt]) -> list[tuple[Sequence[DeliveryReceipt], int]]:
    """Split receipts so that each piece fits into a frame; return each piece with its octets."""
    octets = [len(receipt.raw) + BESIDE_RAW for receipt in receipts]
    if (whole := sum(octets)) <= MOST_OCTETS:
        return [(receipts, whole)]
    pieces = []
    first = held = 0
    for place, more in enumerate(octets):
        if held and held + more > MOST_OCTETS:
            pieces.append((receipts[first:place], held))
            first, held = place, 0
        held += more
    return [*pieces, (receipts[first:], held)]


def _fail(kept: asyncio.Future[None], reason: str) -> None:
    if not kept.done():
        kept.set_exception(StoreUnavailable(reason))
