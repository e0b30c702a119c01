"""One thread that writes, so that many callers share one commit.

Work is handed over as a *handler* and a payload. Everything that waits when the writer
turns to its queue becomes one transaction; neighbours with the same handler are given to
it together, so that a hundred small sends cost a handful of statements. A caller hears
of the end only after the commit has reached the disk.
"""

import asyncio
import queue
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from itertools import groupby
from typing import Any, Protocol

import structlog

from esito import metrics
from esito.domain.errors import EsitoError, StoreFailed, StoreUnavailable
from esito.store.tables.connection import Connection
from esito.store.tables.engine import Handler

log = structlog.get_logger()

MAX_JOBS = 512
"""Jobs that share one commit at the most."""


class WritingConnection(Connection, Protocol):
    """What the writer itself asks of its connection."""

    def begin(self, *, alone: bool) -> None:
        """Open a transaction; `alone`: no other process writes until it ends."""

    def commit(self) -> None:
        """Make it durable."""

    def rollback(self) -> None:
        """Undo what is open, if anything is."""

    def mark(self) -> None:
        """Remember this point of the transaction."""

    def forget_mark(self) -> None:
        """Go on without the point."""

    def back_to_mark(self) -> None:
        """Undo what was done since the point, which stays remembered."""

    def is_ours(self, error: Exception) -> bool:
        """Tell whether an error is the engine's refusal of the whole transaction, not one statement's fault."""

    def unknown(self, error: Exception) -> bool:
        """Tell whether nobody can say if the transaction was kept, and asking again will not tell."""

    def again(self, error: Exception) -> bool:
        """Tell whether the same transaction may well succeed when it is done over at once."""

    def close(self) -> None:
        """Close."""


class _Job:
    __slots__ = ("alone", "future", "handler", "payload", "result")

    def __init__(self, handler: Handler, payload: Any, future: asyncio.Future[Any], *, alone: bool) -> None:
        self.handler = handler
        self.payload = payload
        self.future = future
        self.alone = alone
        self.result: Any = None


TRIES = 8
"""How often a transaction that others got in the way of is done over."""


class Writer:
    """Owns the writing connection; `do` may be called from the event loop only."""

    def __init__(self, connect: Callable[[], WritingConnection], *, failed: Callable[[Exception], None]) -> None:
        """`failed` is called from the writer thread when the end of a transaction is unknown."""
        self._connect = connect
        self._failed = failed
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="esito-writer", daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._taking = False
        self._broken = False

    async def start(self) -> None:
        """Open the connection in the thread that will use it; raises what opening it raises."""
        self._loop = asyncio.get_running_loop()
        opened: asyncio.Future[None] = self._loop.create_future()
        self._opened = opened
        metrics.STORE_QUEUE.set_function(self._jobs.qsize)
        self._thread.start()
        await opened
        self._taking = True

    async def stop(self) -> None:
        """Finish every job handed over before, then close."""
        self._taking = False
        if self._thread.is_alive():
            self._jobs.put(None)
            await asyncio.get_running_loop().run_in_executor(None, self._thread.join)

    def do(self, handler: Handler, payload: Any, *, alone: bool = False) -> Awaitable[Any]:
        """Hand work over; the result comes once its transaction is durable.

        Raises StoreUnavailable (nothing was changed; try again) or StoreFailed (unknown).
        """
        if not self._taking:  # nobody would ever come to do it
            raise StoreUnavailable("the store is not open")
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._jobs.put(_Job(handler, payload, future, alone=alone))
        return future

    @property
    def depth(self) -> int:
        """How many jobs wait."""
        return self._jobs.qsize()

    def _run(self) -> None:
        loop = self._loop
        if loop is None:  # start() sets it before the thread exists
            return
        try:
            connection = self._connect()
        except Exception as error:
            loop.call_soon_threadsafe(_settle, self._opened, error)
            return
        loop.call_soon_threadsafe(_settle, self._opened, None)
        while (batch := self._next()) is not None:
            began = time.perf_counter()
            try:
                self._commit(connection, batch)
            except Exception as error:  # it could not even be undone
                self._give_up(batch, error)
            metrics.STORE_COMMIT_SECONDS.observe(time.perf_counter() - began)
            metrics.STORE_BATCH.observe(len(batch))
            try:
                loop.call_soon_threadsafe(_settle_all, batch)
            except RuntimeError:  # the loop is gone: nobody is left to hear it
                break
        connection.close()

    def _next(self) -> list[_Job] | None:
        first = self._jobs.get()
        if first is None:
            return None
        batch = [first]
        while len(batch) < MAX_JOBS:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                break
            if job is None:
                self._jobs.put(None)
                break
            batch.append(job)
        return batch

    def _commit(self, connection: WritingConnection, batch: list[_Job]) -> None:
        if self._broken:
            _refuse(batch, StoreFailed())
            return
        for left in reversed(range(TRIES)):
            try:
                connection.begin(alone=any(job.alone for job in batch))
                for handler, jobs in groupby(batch, key=lambda job: job.handler):
                    _work(connection, handler, list(jobs))
                connection.commit()
            except Exception as error:
                if connection.unknown(error):
                    self._give_up(batch, error)
                    return
                connection.rollback()
                if left and connection.again(error):
                    continue
                log.warning("commit_refused", error=str(error), jobs=len(batch))
                _refuse(batch, StoreUnavailable(f"nothing was kept: {error}"))
            return

    def _give_up(self, batch: list[_Job], error: Exception) -> None:
        """Stop: the disk may hold the commit or not, and only a fresh start can tell."""
        self._broken = True
        _refuse(batch, StoreFailed(str(error)))
        self._failed(error)


def _work(connection: WritingConnection, handler: Handler, jobs: list[_Job]) -> None:
    """Run one handler behind a mark of its own, so that a fault of it undoes only its own work."""
    connection.mark()
    try:
        results: Sequence[Any] = handler(connection, [job.payload for job in jobs])
    except Exception as error:
        if connection.is_ours(error):
            raise
        if not isinstance(error, EsitoError):  # what the house refuses is no fault of it
            log.exception("write_failed", handler=getattr(handler, "__name__", type(handler).__name__))
        connection.back_to_mark()
        results = [error] * len(jobs)
    connection.forget_mark()
    for job, result in zip(jobs, results, strict=True):
        job.result = result


def _refuse(batch: list[_Job], error: Exception) -> None:
    for job in batch:
        job.result = error


def _settle_all(batch: list[_Job]) -> None:
    for job in batch:
        _settle(job.future, job.result)


def _settle(future: asyncio.Future[Any], result: Any) -> None:
    if future.done():  # its caller was cancelled; the work is kept all the same
        return
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)
