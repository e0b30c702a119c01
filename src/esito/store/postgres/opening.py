"""What is asked of a server before anything is kept in it: its version, its promises, its schema."""

from typing import Any

import asyncpg

from esito.domain.errors import NewerSchema, UnsafeEngine
from esito.store.postgres.statements import MIGRATIONS

FIRST_VERSION = 150000
"""PostgreSQL 15."""

PROMISES = ("fsync", "full_page_writes", "synchronous_commit")
"""Settings that acknowledged commits rest on; each must not be off. For the last, `local` and `remote_write` promise
less than a standby's disk, so they count as off where standbys are named."""

_WEAK = {"synchronous_commit": {"off", "local", "remote_write"}}


async def require_safe_server(connection: "asyncpg.Connection[Any]", *, allow_unsafe: bool) -> None:
    """Raise UnsafeEngine for a server that is too old, or may lose what it has acknowledged."""
    version = int(await connection.fetchval("SHOW server_version_num"))
    if version < FIRST_VERSION:
        raise UnsafeEngine(f"PostgreSQL {await connection.fetchval('SHOW server_version')} is too old; 15 is needed")
    if allow_unsafe:
        return
    standbys = await connection.fetchval("SHOW synchronous_standby_names")
    for name in PROMISES:
        value = await connection.fetchval(f"SHOW {name}")
        if value == "off" or (standbys and value in _WEAK.get(name, ())):
            raise UnsafeEngine(
                f"the database server has {name} = {value}: it may lose what it has acknowledged; "
                "set it on, or allow it with store.allow_unsafe"
            )


async def migrate(connection: "asyncpg.Connection[Any]") -> int:
    """Apply the migrations this database lacks, each in its own transaction; return how many. Raises NewerSchema."""
    newest = MIGRATIONS[-1][0]
    done = 0
    await connection.execute("SELECT pg_advisory_lock(hashtext('esito schema'))")
    try:
        await connection.execute("CREATE TABLE IF NOT EXISTS schema_version (number int NOT NULL)")
        version = await connection.fetchval("SELECT coalesce(max(number), 0) FROM schema_version")
        if version > newest:
            raise NewerSchema(f"the database has schema {version}, this release knows up to {newest}")
        for number, script in MIGRATIONS:
            if number <= version:
                continue
            async with connection.transaction():
                await connection.execute(script)
                await connection.execute("INSERT INTO schema_version VALUES ($1)", number)
            done += 1
    finally:
        await connection.execute("SELECT pg_advisory_unlock(hashtext('esito schema'))")
    return done
