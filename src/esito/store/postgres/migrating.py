"""The schema, changed while processes of neighbouring releases work on it.

A migration that adds *expands*: whoever worked with the schema before still does. One that takes away *contracts*: it
says which migration a release must know to do without, and waits until nobody is connected who knows less. A release
works while its own contractions wait, so any of its processes may start first, and old ones may stay.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import asyncpg

from esito.domain.errors import NewerSchema, StoreUnavailable
from esito.store.postgres.postgres_connect import Connection
from esito.store.postgres.postgres_statements import KNOWS, MIGRATIONS, Migration

LOCK_WITHIN_MS = 2_000
"""How long a migration stands before a table that others use: who comes after it waits as long."""

PAUSE = 0.5
"""Seconds that those get before it tries again."""

TRIES = 60

_TABLE = "CREATE TABLE IF NOT EXISTS schema_version (number int PRIMARY KEY, needs int NOT NULL)"
_OLDER = """
SELECT knows, count(*) AS connections
  FROM (SELECT substring(application_name FROM '^esito (\\d+)$')::int AS knows
          FROM pg_stat_activity WHERE datname = current_database()) AS connected
 WHERE knows < $1 GROUP BY knows ORDER BY knows"""


async def require_known_schema(connection: Connection, knows: int = KNOWS) -> None:
    """Raise NewerSchema where the schema lacks what a release that knows so much still needs."""
    newest = await connection.fetchrow("SELECT max(number) AS number, max(needs) AS needs FROM schema_version")
    if newest is not None and newest["needs"] is not None and newest["needs"] > knows:
        raise NewerSchema(
            f"the database has schema {newest['number']}, for releases that know {newest['needs']} or later;"
            f" this release knows up to {knows}"
        )


async def migrate(connection: Connection, migrations: Sequence[Migration] = MIGRATIONS) -> list[str]:
    """Apply the migrations this database lacks, each in its own transaction; tell which must wait, and for whom.

    Raises NewerSchema, and StoreUnavailable where somebody keeps a table locked for too long.
    """
    async with _one_at_a_time(connection):
        await connection.execute(_TABLE)
        await require_known_schema(connection, migrations[-1].number)
        applied = {row["number"] for row in await connection.fetch("SELECT number FROM schema_version")}
        missing = [one for one in migrations if one.number not in applied]
        return [waits for one in missing if (waits := await _apply(connection, one, in_use=bool(applied)))]


@asynccontextmanager
async def _one_at_a_time(connection: Connection) -> AsyncIterator[None]:
    await connection.execute("SELECT pg_advisory_lock(hashtext('esito schema'))")
    try:
        yield
    finally:
        await connection.execute("SELECT pg_advisory_unlock(hashtext('esito schema'))")


async def _apply(connection: Connection, one: Migration, *, in_use: bool) -> str:
    """Apply one; return why not, or nothing. Nobody can miss anything of a database that is just being made."""
    for _ in range(TRIES):
        try:
            async with connection.transaction():
                await connection.execute(f"SET LOCAL lock_timeout = {LOCK_WITHIN_MS}")
                if in_use and one.needs and (older := await _older(connection, one.needs)):
                    return f"migration {one.number} waits for {older} to end"
                await connection.execute(one.script)
                await connection.execute("INSERT INTO schema_version VALUES ($1, $2)", one.number, one.needs)
                return ""
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
            await asyncio.sleep(PAUSE)
    raise StoreUnavailable(f"migration {one.number} cannot be applied: somebody keeps a table locked")


async def _older(connection: Connection, needs: int) -> str:
    """Name the connections of releases that know less; until the transaction ends nobody can begin to write."""
    await connection.execute("SELECT pg_advisory_xact_lock(hashtext('esito writing'))")
    found = await connection.fetch(_OLDER, needs)
    return " and ".join(f"{row['connections']} connections of a release that knows {row['knows']}" for row in found)
