"""PostgreSQL as the store's engine: threads that write with group commit, and threads that answer questions.

What clients send has a writer of its own, so that it waits for nothing that links, callbacks and retention write.
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import asyncpg
import structlog

from esito import metrics
from esito.domain.errors import EsitoError, StoreUnavailable
from esito.store.engine import WritePriority
from esito.store.group_commit import Writer
from esito.store.postgres.commit_outcome import PostgresWriter
from esito.store.postgres.migrating import migrate
from esito.store.postgres.partitions import InUse, drop, find
from esito.store.postgres.postgres_connect import LOST, failed_us, open_connection
from esito.store.postgres.postgres_connection import SETTINGS, PostgresConnection
from esito.store.postgres.read_pool import ReadPool
from esito.store.postgres.server_checks import require_safe_server
from esito.store.postgres.stall_detection import StallDetection
from esito.store.sql_connection import Connection, Read, Request, Result, Row, Transaction
from esito.store.sql_store.long_reads import LongReads, ParentAccounts

log = structlog.get_logger()

_Answer = TypeVar("_Answer")

READERS = 4
"""Questions that are answered at the same time."""


class PostgresEngine:
    """An `Engine` on a server, or on whichever of several is the primary."""

    shared = True

    def __init__(self, url: str, *, failed: Callable[[Exception], None], allow_unsafe: bool = False) -> None:
        self.url = url
        self._allow_unsafe = allow_unsafe
        self._writer = Writer(self._open_for_writing, failed=failed)
        self._sends = Writer(self._open_for_writing, failed=failed, name="esito-sends")
        self._silence = StallDetection()
        self._in_loop = ReadPool(url, self._silence)
        self._asking: ThreadPoolExecutor | None = None
        self._tops = ParentAccounts(self.ask)
        self._long = LongReads(self._answer)
        self._mine = threading.local()
        self._readers: list[PostgresConnection] = []
        self.put_off: Sequence[str] = ()

    async def open(self) -> None:
        """Look at the server, apply the migrations the database lacks, and begin."""
        try:
            connection = await open_connection(self.url, SETTINGS)
            try:
                await require_safe_server(connection, allow_unsafe=self._allow_unsafe)
                self.put_off = await migrate(connection)
            finally:
                await connection.close()
        except (*LOST, asyncpg.PostgresError) as error:
            raise StoreUnavailable(f"cannot open the database: {error or type(error).__name__}") from error
        for sentence in self.put_off:
            log.warning("migration_put_off", reason=sentence)
        await self._writer.start()
        try:
            await self._sends.start()
        except BaseException:
            await self._writer.stop()
            raise
        metrics.STORE_QUEUE.set_function(lambda: self.depth)
        self._asking = ThreadPoolExecutor(READERS, thread_name_prefix="esito-reader")
        self._long.open()

    def _open_for_writing(self) -> PostgresWriter:
        connection = PostgresWriter(self.url, allow_unsafe=self._allow_unsafe, silence=self._silence)
        try:
            connection.connect()
        except BaseException:
            connection.close()
            raise
        return connection

    async def close(self) -> None:
        """Finish what was begun and close; idempotent."""
        await self._sends.stop()
        await self._writer.stop()
        await self._in_loop.close()
        await self._long.close()
        asking, self._asking = self._asking, None
        if asking is not None:
            await asyncio.to_thread(self._close_readers, asking)

    def _close_readers(self, asking: ThreadPoolExecutor) -> None:
        asking.shutdown()
        for reader in self._readers:
            reader.close()
        self._readers = []

    @property
    def depth(self) -> int:
        """How many writes wait for the next commit."""
        return self._writer.depth + self._sends.depth

    def do(
        self,
        transaction: Transaction[Request, Result],
        request: Request,
        *,
        alone: bool = False,
        priority: WritePriority = WritePriority.USUAL,
    ) -> Awaitable[Result]:
        """Hand a request to a writer."""
        if priority is WritePriority.SEND:
            return self._sends.do(transaction, request, alone=alone)
        return self._writer.do(transaction, request, alone=alone, patient=priority is WritePriority.PATIENT)

    async def rows(self, read: Read[Row]) -> list[Row]:
        """Answer in the event loop."""
        if self._asking is None:
            raise StoreUnavailable("the store is not open")
        return await self._in_loop.rows(read)

    async def ask(self, question: Callable[[Connection], _Answer]) -> _Answer:
        """Answer in one of the reading threads."""
        if self._asking is None:
            raise StoreUnavailable("the store is not open")
        return await asyncio.get_running_loop().run_in_executor(self._asking, self._answer, question)

    def _answer(self, question: Callable[[Connection], _Answer]) -> _Answer:
        connection: PostgresConnection | None = getattr(self._mine, "connection", None)
        if connection is None:
            connection = self._mine.connection = PostgresConnection(self.url, silence=self._silence)
            self._readers.append(connection)
        try:
            return _ask(question, connection)
        except StoreUnavailable:  # once more: the server may have gone and come back since the last question
            return _ask(question, connection)

    async def ask_long(self, account_id: int, question: Callable[[Connection], _Answer]) -> _Answer:
        """Answer in one of a few threads."""
        return await self._long.ask(await self._tops.of(account_id), question)

    async def top_of(self, account_id: int) -> int:
        """Answer from memory, mostly."""
        return await self._tops.of(account_id)

    async def ask_aside(self, question: Callable[[Connection], _Answer]) -> _Answer:
        """Answer in a thread, on a connection of its own, planned for whole tables."""
        return await asyncio.to_thread(self._answer_aside, question)

    def _answer_aside(self, question: Callable[[Connection], _Answer]) -> _Answer:
        connection = PostgresConnection(self.url, aside=True)
        try:
            return _ask(question, connection)
        finally:
            connection.close()

    async def drop_old(self, before: int) -> int:
        """Drop partitions, oldest first."""
        dropped = 0
        while (old := await self.ask_aside(lambda aside: find(aside, before))) is not None:
            try:
                if not await self.do(drop, old, alone=True):
                    break
            except InUse as error:
                log.info("partition_not_dropped", reason=str(error))
                break
            dropped += 1
        return dropped

    async def checkpoint(self) -> bool:
        """Leave it to the server: the next vacuum removes older versions of what was erased."""
        return False

    async def room_to_write(self) -> bool:
        """Leave it to the server, whose disks we do not see."""
        return True

    def stale(self) -> bool:
        """Whatever was remembered may have been changed by another process."""
        return True


def _ask(question: Callable[[Connection], _Answer], connection: PostgresConnection) -> _Answer:
    try:
        return question(connection)
    except EsitoError:
        raise
    except Exception as error:
        if not failed_us(error):
            raise
        connection.drop()
        raise StoreUnavailable(f"the database does not answer: {error or type(error).__name__}") from error
