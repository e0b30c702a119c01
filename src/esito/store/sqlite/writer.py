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
from typing import Any

import apsw
import structlog

from esito import metrics
from esito.domain.errors import StoreFailed, StoreUnavailable

log = structlog.get_logger()

Handler = Callable[[apsw.Connection, Sequence[Any]], Sequence[Any]]
"""Does the work of several payloads inside the open transaction; returns a result or an
exception for each. What it raises undoes the work of all of them."""

MAX_JOBS = 512
"""Jobs that share one commit at the most."""


class _Job:
    __slots__ = ("future", "handler", "payload", "result")

    def __init__(self, handler: Handler, payload: Any, future: asyncio.Future[Any]) -> None:
        self.handler = handler
        self.payload = payload
        self.future = future
        self.result: Any = None


class Writer:
    """Owns the writing connection; `do` may be called from the event loop only."""

    def __init__(self, connect: Callable[[], apsw.Connection], *, failed: Callable[[Exception], None]) -> None:
        """`failed` is called from the writer thread when a commit's end is unknown."""
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

    def do(self, handler: Handler, payload: Any) -> Awaitable[Any]:
        """Hand work over; the result comes once its transaction is durable.

        Raises StoreUnavailable (nothing was changed; try again) or StoreFailed (unknown).
        """
        if not self._taking:  # nobody would ever come to do it
            raise StoreUnavailable("the store is not open")
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._jobs.put(_Job(handler, payload, future))
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
            self._commit(connection, batch)
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

    def _commit(self, connection: apsw.Connection, batch: list[_Job]) -> None:
        if self._broken:
            for job in batch:
                job.result = StoreFailed()
            return
        try:
            connection.execute("BEGIN IMMEDIATE")
            for handler, jobs in groupby(batch, key=lambda job: job.handler):
                _work(connection, handler, list(jobs))
            connection.execute("COMMIT")
        except apsw.IOError as error:
            # The disk may hold the commit or not; only a fresh start can tell.
            self._broken = True
            for job in batch:
                job.result = StoreFailed(str(error))
            self._failed(error)
        except Exception as error:
            log.warning("commit_refused", error=str(error), jobs=len(batch))
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            for job in batch:
                job.result = StoreUnavailable(f"nothing was kept: {error}")


def _work(connection: apsw.Connection, handler: Handler, jobs: list[_Job]) -> None:
    """Run one handler in a savepoint of its own, so that a fault of it undoes only its own work."""
    connection.execute("SAVEPOINT work")
    try:
        results = handler(connection, [job.payload for job in jobs])
    except (apsw.IOError, apsw.FullError, apsw.BusyError, apsw.CorruptError):
        raise
    except Exception as error:
        log.exception("write_failed", handler=handler.__name__)
        connection.execute("ROLLBACK TO work")
        results = [error] * len(jobs)
    connection.execute("RELEASE work")
    for job, result in zip(jobs, results, strict=True):
        job.result = result


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
