"""What is asked of a server before anything is kept in it: its version and its promises."""

from typing import Any

import asyncpg

from esito.domain.errors import UnsafeEngine

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
