"""The PostgreSQL database that is filled: held against everybody who writes, filled batch by batch, and read back."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager

import asyncpg

from esito.store.copy.canonical import Sum
from esito.store.copy.engines import Connection, connect, make_schema, read, written
from esito.store.copy.progress import CopyPosition, Progress
from esito.store.copy.source import CopyRefused, Source
from esito.store.copy.tables import TABLES, Table, TableChecksum, quoted
from esito.store.postgres.postgres_connect import LOST
from esito.store.sql_connection import SqlValue

HOLD_WITHIN = 10.0
"""Seconds for others to end what they are writing; a copy that was killed may still be ending."""

READ_AT_ONCE = 5_000

# Not OSError and TimeoutError: while we are connected the driver wraps those of the network, and the caller's own
# (a terminal that is gone) come through here too.
_GONE = tuple(kind for kind in LOST if kind not in {OSError, TimeoutError})


# SQLite's integers have 64 bits whatever they stand for, and some checks can be switched off there.
_NOT_TAKEN = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, OverflowError)


class Target:
    """Where to it is copied."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.progress = Progress(connection)

    async def make_spans(self, numbers: Iterable[int]) -> None:
        """Make the partitions that there are not yet."""
        for number in sorted(numbers):
            await self._connection.execute("SELECT make_span($1)", number)

    async def add(self, table: Table, rows: Sequence[Sequence[SqlValue]], reached: CopyPosition) -> None:
        """Add some rows and note that they are there, in one transaction. Raises CopyRefused."""
        try:
            async with self._connection.transaction():
                await self._connection.copy_records_to_table(
                    table.name, records=written(rows), columns=list(table.columns)
                )
                await self.progress.move(table.name, reached)
        except _NOT_TAKEN as error:
            raise CopyRefused(f"PostgreSQL does not take the rows of table {table.name}: {error}") from error

    async def extent(self, table: Table) -> TableChecksum:
        """Count and sum a table as it is read back; a part of it is in memory at a time."""
        sum_ = Sum()
        columns = ", ".join(map(quoted, table.columns))
        async with self._connection.transaction(isolation="repeatable_read", readonly=True):
            cursor = await self._connection.cursor(f"SELECT {columns} FROM {quoted(table.name)}")  # noqa: S608  our own names
            while rows := await cursor.fetch(READ_AT_ONCE):
                sum_.add(read(rows))
        return sum_.extent

    async def set_sequences(self, source: Source) -> None:
        """Let every number that is given from now on be one that the source never gave."""
        # `false`: this very number is the next.
        await self._connection.execute("SELECT setval('message_block', $1, false)", source.next_block())
        await self._go_on_after("trail_id", source.last_id("trail"))
        for table in TABLES:
            if table.counted:
                name = await self._connection.fetchval("SELECT pg_get_serial_sequence($1, 'id')", table.name)
                await self._go_on_after(name, source.last_id(table.name))

    async def _go_on_after(self, sequence: str, last: int) -> None:
        # Given, not merely next: the store asks a sequence which number was the last.
        if last:
            await self._connection.execute("SELECT setval($1::text::regclass, $2)", sequence, last)

    async def analyze(self) -> None:
        """Have PostgreSQL look at what there is now: it plans by that."""
        for table in TABLES:
            await self._connection.execute(f"ANALYZE {quoted(table.name)}")


@asynccontextmanager
async def held_target(url: str, *, within: float = HOLD_WITHIN) -> AsyncIterator[Target]:
    """Open a database that holds nothing but what this copy brought, with its schema, and let nobody else write.

    Raises CopyRefused, and NewerSchema, UnsafeEngine, StoreUnavailable as opening it does.
    """
    try:
        connection = await connect(url)
    except (*LOST, asyncpg.PostgresError) as error:
        raise CopyRefused(f"the target cannot be reached: {error or type(error).__name__}") from error
    try:
        await _hold(connection, within)
        await Progress(connection).require_room()
        await make_schema(url)
        yield Target(connection)
    except _GONE as error:
        raise CopyRefused(
            f"the connection to the target is lost ({error or type(error).__name__});"
            " give the same command again, and it goes on where it was"
        ) from error
    except asyncpg.PostgresError as error:
        raise CopyRefused(f"the target refuses: {error}") from error
    finally:
        await _leave(connection)


async def _hold(connection: Connection, within: float) -> None:
    """Take, for as long as we are connected, the lock that every transaction of a server shares."""
    loop = asyncio.get_running_loop()
    end = loop.time() + within
    while not await connection.fetchval("SELECT pg_try_advisory_lock(hashtext('esito writing'))"):
        if loop.time() > end:
            raise CopyRefused("the target is in use: something else writes there, perhaps another copy")
        await asyncio.sleep(0.1)


async def _leave(connection: Connection) -> None:
    try:
        await connection.close(timeout=5)
    except (*LOST, asyncpg.PostgresError):
        connection.terminate()
