"""How far a copy has come, kept in the target beside what was copied, so that it goes on after any interruption.

Each batch moves its table's row in the transaction that brings the rows: the two never disagree. The rows also hold
what the source held when the copy began; a source that has changed since is noticed.
"""

import json
from collections.abc import Mapping
from typing import NamedTuple

from esito.store.copy.engines import Connection
from esito.store.copy.source import CopyRefused
from esito.store.copy.tables import TABLES, TableChecksum, quoted
from esito.store.sql_connection import SqlValue

_MAKE = """
CREATE SCHEMA esito_copy;
CREATE TABLE esito_copy.progress (
    name     text   PRIMARY KEY,
    rows     bigint NOT NULL,    -- in the source
    checksum text   NOT NULL,    -- of these
    done     bigint NOT NULL,    -- how many of them are copied
    last     text                -- the key of the last one, as JSON; null: none
)"""


class CopyPosition(NamedTuple):
    """How far one table is copied."""

    done: int = 0
    last: list[SqlValue] | None = None
    """The key of the last row; None: nothing was copied yet."""


class Progress:
    """The rows of a copy in its target."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def begun(self) -> bool:
        """Tell whether a copy into this database was begun and not ended."""
        return await self._connection.fetchval("SELECT to_regclass('esito_copy.progress')") is not None

    async def require_room(self) -> None:
        """Raise CopyRefused where the target holds anything that this copy did not bring."""
        done = {name: reached.done for name, reached in (await self._reached()).items()} if await self.begun() else {}
        for table in TABLES:
            if await self._connection.fetchval("SELECT to_regclass($1)", quoted(table.name)) is None:
                continue
            brought = done.get(table.name, 0)
            # Beyond what was brought, one row is enough to know; what is missing is known by counting.
            sql = f"SELECT count(*) FROM (SELECT 1 FROM {quoted(table.name)} LIMIT $1) AS found"  # noqa: S608  our own names
            found = await self._connection.fetchval(sql, brought + 1)
            if found != brought:
                raise CopyRefused(_not_ours(table.name, brought=brought, found=found))

    async def begin(self, source: Mapping[str, TableChecksum]) -> None:
        """Remember what the source holds, or compare with what is remembered. Raises CopyRefused."""
        if await self.begun():
            await self._require_same(source)
            return
        async with self._connection.transaction():
            await self._connection.execute(_MAKE)
            await self._connection.executemany(
                "INSERT INTO esito_copy.progress (name, rows, checksum, done) VALUES ($1, $2, $3, 0)",
                [(name, extent.rows, extent.shown) for name, extent in source.items()],
            )

    async def _require_same(self, source: Mapping[str, TableChecksum]) -> None:
        rows = await self._connection.fetch("SELECT name, rows, checksum FROM esito_copy.progress")
        before = {name: (count, checksum) for name, count, checksum in rows}
        now = {name: (extent.rows, extent.shown) for name, extent in source.items()}
        if before.keys() != now.keys():
            raise CopyRefused(f"the copy was begun with another version of Esito; {_AFRESH}")
        changed = [name for name in now if now[name] != before[name]]
        if changed:
            raise CopyRefused(f"the source has changed since the copy began ({', '.join(changed)}); {_AFRESH}")

    async def _reached(self) -> dict[str, CopyPosition]:
        rows = await self._connection.fetch("SELECT name, done, last FROM esito_copy.progress")
        return {name: CopyPosition(done, None if last is None else json.loads(last)) for name, done, last in rows}

    async def of(self, table: str) -> CopyPosition:
        """Return how far a table is."""
        return (await self._reached()).get(table, CopyPosition())

    async def move(self, table: str, reached: CopyPosition) -> None:
        """Note, in the caller's transaction, how far a table is now."""
        await self._connection.execute(
            "UPDATE esito_copy.progress SET done = $2, last = $3 WHERE name = $1",
            table,
            reached.done,
            json.dumps(reached.last),
        )

    async def end(self) -> None:
        """Leave no trace of the copy."""
        await self._connection.execute("DROP SCHEMA esito_copy CASCADE")


_AFRESH = "empty the target (DROP DATABASE, CREATE DATABASE) and copy afresh"


def _not_ours(table: str, *, brought: int, found: int) -> str:
    if not brought:
        return (
            f"the target is in use: its table {table} holds something that no copy brought; give it an empty database"
        )
    what = "more" if found > brought else "fewer"
    return f"the target's table {table} holds {what} rows than the {brought} copied so far; {_AFRESH}"
