"""One thread that writes, so that many callers share one commit.

Work is handed over as a transaction and a request for it. Everything that waits when the writer turns to its queue
shares one commit; neighbours for the same transaction are given to it together, so that a hundred small sends cost a
handful of statements. A caller gets its result only once the commit has reached the disk. In which order work is done
is in `write_queue`.
"""

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Sequence
from itertools import groupby
from typing import Protocol

import structlog

from esito import metrics
from esito.domain.errors import EsitoError, StoreFailed, StoreUnavailable
from esito.store.sql_connection import Connection, Request, Result, Transaction
from esito.store.write_queue import Job, WriteQueue, WriteRequest

log = structlog.get_logger()


class WritingConnection(Connection, Protocol):
    """What the writer itself asks of its connection."""

    def begin(self, *, alone: bool) -> None:
        """Open a transaction; `alone`: no other process writes until it ends."""

    def commit(self) -> None:
        """Make it durable."""

    def rollback(self) -> None:
        """Undo what is open, if anything is."""

    def savepoint(self) -> None:
        """Remember this point of the transaction."""

    def release_savepoint(self) -> None:
        """Go on without the point."""

    def rollback_to_savepoint(self) -> None:
        """Undo what was done since the point, which stays remembered."""

    def is_engine_failure(self, error: Exception) -> bool:
        """Tell whether an error is the engine's refusal of the whole transaction, not one statement's fault."""

    def outcome_unknown(self, error: Exception) -> bool:
        """Tell whether nobody can say if the transaction was kept, and asking again will not tell."""

    def is_retryable(self, error: Exception) -> bool:
        """Tell whether the same transaction may well succeed when it is done over at once."""

    def close(self) -> None:
        """Close."""


TRIES = 8
"""How often a transaction that others got in the way of is done over."""


class Writer:
    """Owns the writing connection; `do` may be called from the event loop only."""

    def __init__(
        self,
        connect: Callable[[], WritingConnection],
        *,
        failed: Callable[[Exception], None],
        name: str = "esito-writer",
    ) -> None:
        """`failed` is called from the writer's thread when the end of a transaction is unknown; `name` is its name."""
        self._connect = connect
        self._failed = failed
        self._jobs = WriteQueue()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._taking = False
        self._broken = False

    async def start(self) -> None:
        """Open the connection in the thread that will use it; raises what opening it raises."""
        self._loop = asyncio.get_running_loop()
        opened: asyncio.Future[None] = self._loop.create_future()
        self._opened = opened
        self._thread.start()
        await opened
        self._taking = True

    async def stop(self) -> None:
        """Finish every job handed over before, then close."""
        self._taking = False
        if self._thread.is_alive():
            self._jobs.put(None)
            await asyncio.get_running_loop().run_in_executor(None, self._thread.join)

    def do(
        self,
        transaction: Transaction[Request, Result],
        request: Request,
        *,
        alone: bool = False,
        patient: bool = False,
    ) -> Awaitable[Result]:
        """Hand a request over; the result comes once its transaction is durable.

        Raises StoreUnavailable (nothing was changed; try again) or StoreFailed (unknown).
        """
        if not self._taking:  # nobody would ever come to do it
            raise StoreUnavailable("the store is not open")
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._jobs.put(WriteRequest(transaction, request, future, alone=alone, patient=patient))
        return future

    @property
    def depth(self) -> int:
        """How many jobs wait."""
        return len(self._jobs)

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
        while (batch := self._jobs.next()) is not None:
            began = time.perf_counter()
            try:
                self._commit(connection, batch)
            except Exception as error:  # it could not even be undone
                self._give_up(batch, error)
            took = time.perf_counter() - began
            self._jobs.ended(batch, took)
            metrics.STORE_COMMIT_SECONDS.observe(took)
            metrics.STORE_BATCH.observe(len(batch))
            try:
                loop.call_soon_threadsafe(_settle_all, batch)
            except RuntimeError:  # the loop is gone: nobody is left to hear it
                break
        connection.close()

    def _commit(self, connection: WritingConnection, batch: list[Job]) -> None:
        if self._broken:
            _refuse(batch, StoreFailed())
            return
        for left in reversed(range(TRIES)):
            try:
                connection.begin(alone=batch[0].alone)
                if not _work_all(connection, batch):
                    connection.rollback()
                    return
                connection.commit()
            except Exception as error:
                if connection.outcome_unknown(error):
                    self._give_up(batch, error)
                    return
                connection.rollback()
                if left and connection.is_retryable(error):
                    continue
                log.warning("commit_refused", error=str(error), jobs=len(batch))
                _refuse(batch, StoreUnavailable(f"nothing was kept: {error}"))
            return

    def _give_up(self, batch: list[Job], error: Exception) -> None:
        """Stop: the disk may hold the commit or not, and only a fresh start can tell."""
        self._broken = True
        _refuse(batch, StoreFailed(str(error)))
        self._failed(error)


def _work_all(connection: WritingConnection, batch: Sequence[Job]) -> bool:
    """Run the transactions one after another; return whether there is anything to keep.

    Among several, each works behind a savepoint of its own, so that a fault of it undoes only its own work.
    """
    groups = [list(jobs) for _, jobs in groupby(batch, key=lambda job: job.transaction)]
    if len(groups) == 1:
        return _work(connection, groups[0])
    for jobs in groups:
        connection.savepoint()
        if not _work(connection, jobs):
            connection.rollback_to_savepoint()
        connection.release_savepoint()
    return True


def _work(connection: WritingConnection, jobs: Sequence[Job]) -> bool:
    """Run one transaction; return False after a fault of it, which is the result of all: its work is to be undone.

    Raises what the engine refuses the whole transaction with.
    """
    try:
        jobs[0].work(connection, jobs)
    except Exception as error:
        if connection.is_engine_failure(error):
            raise
        if not isinstance(error, EsitoError):  # what the house refuses is no fault of it
            transaction = jobs[0].transaction
            log.exception("write_failed", handler=getattr(transaction, "__name__", type(transaction).__name__))
        _refuse(jobs, error)
        return False
    return True


def _refuse(jobs: Sequence[Job], error: Exception) -> None:
    for job in jobs:
        job.refuse(error)


def _settle_all(batch: list[Job]) -> None:
    for job in batch:
        job.settle()


def _settle(opened: "asyncio.Future[None]", error: Exception | None) -> None:
    if opened.done():
        return
    if error is not None:
        opened.set_exception(error)
    else:
        opened.set_result(None)
