"""One SQLite file as the store's engine: one writer thread with group commit, reads on the event loop."""

import asyncio
import os
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import apsw
import structlog

from esito import metrics
from esito.domain.errors import StoreUnavailable
from esito.private_files import make_folder
from esito.store.engine import WritePriority
from esito.store.group_commit import Writer
from esito.store.sql_connection import Connection, Read, Request, Result, Row, Transaction
from esito.store.sql_store.long_reads import LongReads, ParentAccounts
from esito.store.sqlite.sqlite_connection import SqliteConnection, migrate, require_safe_engine

log = structlog.get_logger()

_Answer = TypeVar("_Answer")

LEAST_FREE = 1_000_000
"""Octets of free disk below which we say that nothing can be written: a small commit may succeed, the next not."""

CHECKPOINT_TRIES = 20
"""How often it is tried to empty the write-ahead log."""
CHECKPOINT_AGAIN = 0.1
"""Seconds between two tries."""


def stop_at_once(error: Exception) -> None:
    """End the process: after a failed commit nothing we could still say would be sure.

    See architecture.md#what-the-store-promises.
    """
    log.critical("commit_failed", error=str(error), consequence="the process stops and must be started again")
    os._exit(70)


class SqliteEngine:
    """An `Engine` in one file."""

    shared = False
    put_off = ()
    """No migration has to wait: nobody else works with the file."""

    def __init__(self, path: Path, *, failed: Callable[[Exception], None]) -> None:
        """`failed` is told, from the writer thread, of a commit whose end is unknown."""
        self.path = path
        self._writer = Writer(self._open_for_writing, failed=failed)
        self._reader: SqliteConnection | None = None
        self._version: object = None
        self._tops = ParentAccounts(self.ask)
        self._long = LongReads(self._answer_long)
        self._mine = threading.local()
        self._readers: list[SqliteConnection] = []
        self._checkpointing: asyncio.Task[bool] | None = None
        self._next_checkpoint: asyncio.Task[bool] | None = None

    async def open(self) -> None:
        """Open the file and apply the migrations it lacks."""
        require_safe_engine(apsw.sqlite_lib_version())
        try:
            make_folder(self.path.parent)
        except OSError as error:
            raise StoreUnavailable(f"cannot make {self.path.parent}: {error.strerror}") from error
        await self._writer.start()
        metrics.STORE_QUEUE.set_function(lambda: self.depth)
        self._reader = SqliteConnection.open(self.path, read_only=True)
        self._long.open()

    def _open_for_writing(self) -> SqliteConnection:
        connection = SqliteConnection.open(self.path)
        migrate(connection.bare)
        return connection

    async def close(self) -> None:
        """Finish what was begun and close; idempotent."""
        await self._writer.stop()
        await self._long.close()
        while self._readers:
            self._readers.pop().close()
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    @property
    def depth(self) -> int:
        """How many writes wait for the next commit."""
        return self._writer.depth

    def do(
        self,
        transaction: Transaction[Request, Result],
        request: Request,
        *,
        alone: bool = False,  # noqa: ARG002  the writer is alone in any case
        priority: WritePriority = WritePriority.USUAL,
    ) -> Awaitable[Result]:
        """Hand a request to the writer."""
        return self._writer.do(transaction, request, patient=priority is WritePriority.PATIENT)

    @property
    def reader(self) -> SqliteConnection:
        """The reading connection of the event loop. Raises StoreUnavailable while the store is closed."""
        if self._reader is None:
            raise StoreUnavailable("the store is not open")
        return self._reader

    async def rows(self, read: Read[Row]) -> list[Row]:
        """Answer at once."""
        return self.reader.answer(read.name, read.row, read.parameters)

    async def ask(self, question: Callable[[Connection], _Answer]) -> _Answer:
        """Answer at once: a read waits for nobody."""
        return question(self.reader)

    async def ask_long(self, account_id: int, question: Callable[[Connection], _Answer]) -> _Answer:
        """Answer in one of a few threads."""
        return await self._long.ask(await self._tops.of(account_id), question)

    async def top_of(self, account_id: int) -> int:
        """Answer from memory, mostly."""
        return await self._tops.of(account_id)

    def _answer_long(self, question: Callable[[Connection], _Answer]) -> _Answer:
        connection: SqliteConnection | None = getattr(self._mine, "connection", None)
        if connection is None:
            connection = self._mine.connection = SqliteConnection.open(self.path, read_only=True)
            self._readers.append(connection)
        with connection.snapshot():
            return question(connection)

    async def ask_aside(self, question: Callable[[Connection], _Answer]) -> _Answer:
        """Answer in a thread, on a connection of its own."""
        return await asyncio.to_thread(self._ask_aside, question)

    def _ask_aside(self, question: Callable[[Connection], _Answer]) -> _Answer:
        connection = SqliteConnection.open(self.path, read_only=True)
        try:
            return question(connection)
        finally:
            connection.close()

    async def drop_old(self, before: int) -> int:  # noqa: ARG002  what is old goes row by row
        """Nothing: there is one table of each kind."""
        return 0

    async def checkpoint(self) -> bool:
        """Move everything from the write-ahead log into the file and empty it; older pages stand there until then.

        Whoever writes waits meanwhile, so it waits for nobody itself: it tries some times, and tells whether it could.
        """
        if self._checkpointing is None or self._checkpointing.done():
            self._checkpointing = asyncio.create_task(self._checkpoint_when_idle(None), name="checkpoint")
        elif self._next_checkpoint is None:  # the one that goes on may have begun before our last commit
            self._next_checkpoint = asyncio.create_task(
                self._checkpoint_when_idle(self._checkpointing), name="checkpoint"
            )
        return await asyncio.shield(self._next_checkpoint or self._checkpointing)

    async def _checkpoint_when_idle(self, before: "asyncio.Task[bool] | None") -> bool:
        if before is not None:
            await asyncio.wait({before})
            self._checkpointing, self._next_checkpoint = self._next_checkpoint, None
        for _ in range(CHECKPOINT_TRIES):
            if await asyncio.to_thread(self._checkpoint):
                return True
            await asyncio.sleep(CHECKPOINT_AGAIN)
        return False

    def _checkpoint(self) -> bool:
        connection = SqliteConnection.open(self.path)
        try:
            connection.bare.set_busy_timeout(0)
            connection.execute("PRAGMA wal_checkpoint(PASSIVE)")  # most of the work, while others write
            prevented = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").get
        finally:
            connection.close()
        return not (prevented[0] if isinstance(prevented, tuple) else prevented)

    async def room_to_write(self) -> bool:
        """Tell whether the disk has space for more than a few commits."""
        free = os.statvfs(self.path.parent)
        return free.f_bavail * free.f_frsize >= LEAST_FREE

    def stale(self) -> bool:
        """Tell whether anybody, another process too, has committed anything: `data_version` knows."""
        before, self._version = self._version, self.reader.execute("PRAGMA data_version").get
        return before != self._version
