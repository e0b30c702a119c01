"""A store whose receipts go the long way: gateway, spool, JetStream, worker, store.

It keeps every promise of a store, so every suite for stores can be run on it.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from esito.domain.receipt import DeliveryReceipt
from esito.receipt_log.consumer import Consumer
from esito.receipt_log.publisher import Publisher
from esito.receipt_log.spool import Spool
from esito.store.interface.frame_store import AppliedFrames, NumberedFrame
from esito.store.interface.message_records import Settled
from esito.store.interface.store import Store
from tests.kit.nats import a_stream, log_on, shared_servers
from tests.kit.patience import in_time


class _Watched:
    """The intake of a store, counting what comes."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner
        self.come = asyncio.Condition()
        self.receipts = 0
        self.moved = 0
        self.verdicts: Counter[str] = Counter()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def apply(self, frames: Sequence[NumberedFrame]) -> AppliedFrames:
        applied: AppliedFrames = await self._inner.apply(frames)
        async with self.come:
            self.receipts += sum(applied.verdicts.values())
            self.moved += applied.moved
            self.verdicts.update(applied.verdicts)
            self.come.notify_all()
        return applied


class Logged:
    """Everything of a store, but for the way of the receipts; the log is there from the first one on."""

    def __init__(self, store: Store, folder: Path, ending: AsyncExitStack) -> None:
        """`ending` is unwound when the store is not needed any more."""
        self.inner = store
        self._folder = folder
        self._ending = ending
        self._publisher: Publisher | None = None
        self._watched = _Watched(store.frames)
        self._one_by_one = asyncio.Lock()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    async def apply_receipts(self, receipts: Sequence[DeliveryReceipt]) -> Settled:
        watched = self._watched
        async with self._one_by_one:
            publisher = self._publisher = self._publisher or await self._begin()
            receipts_before, moved, verdicts = watched.receipts, watched.moved, Counter(watched.verdicts)
            await publisher.publish(receipts)
            async with in_time(), watched.come:
                await watched.come.wait_for(lambda: watched.receipts >= receipts_before + len(receipts))
            return Settled(watched.moved - moved, dict(watched.verdicts - verdicts))

    async def _begin(self) -> Publisher:
        servers = await asyncio.to_thread(shared_servers, 1)  # how three agree, tests of the log and of faults look at
        spool = Spool(self._folder / "spool")
        spool.open()
        self._ending.callback(spool.close)
        receipt_log = await self._ending.enter_async_context(log_on(servers, stream=a_stream()))
        self._ending.push_async_callback(receipt_log.remove)
        seen: Any = _Seen(self.inner, self._watched)
        publisher = Publisher(gateway="tests", receipt_log=receipt_log, spool=spool, store=self.inner)
        working = [
            asyncio.ensure_future(one.run()) for one in (publisher, Consumer(receipt_log=receipt_log, store=seen))
        ]
        self._ending.push_async_callback(_cancelled, working)
        return publisher


async def _cancelled(working: Sequence[asyncio.Future[None]]) -> None:
    for task in working:
        task.cancel()
    await asyncio.gather(*working, return_exceptions=True)


class _Seen:
    """A store whose intake is watched."""

    def __init__(self, store: Store, watched: _Watched) -> None:
        self._store = store
        self.frames = watched

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


@asynccontextmanager
async def logged(store: Store, folder: Path) -> AsyncIterator[Store]:
    """Put the log before an open store, until the block ends."""
    async with AsyncExitStack() as ending:
        way: Any = Logged(store, folder, ending)
        yield way
