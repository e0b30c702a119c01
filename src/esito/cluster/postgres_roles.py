"""Who follows whom, as PostgreSQL keeps it: the quorum of a primary, and the address a standby streams from.

Everything is said by SQL over the network; ALTER SYSTEM makes it outlive a restart.
"""

import asyncio
import re
from typing import Any, TypeAlias
from urllib.parse import urlsplit

import asyncpg

Connection: TypeAlias = "asyncpg.Connection[Any]"

ANSWER_WITHIN = 5.0
"""Seconds after which a node that keeps silent counts as gone."""

_PAIR = re.compile(r"(\w+)\s*=\s*('(?:[^'\\]|\\.)*'|[^\s']+)")


async def connect(url: str) -> Connection:
    """Connect to one node; a node that hangs raises TimeoutError, then and later."""
    return await asyncpg.connect(url, timeout=ANSWER_WITHIN, command_timeout=120)


async def change(connection: Connection, name: str, value: str) -> None:
    """Change a setting of the server for good, at once."""
    await connection.execute(f"ALTER SYSTEM SET {name} = {quoted(value)}")
    await connection.execute("SELECT pg_reload_conf()")


def quoted(text: str) -> str:
    """Return a text as SQL and the server's configuration write it."""
    return "'" + text.replace("'", "''") + "'"


# -- the quorum -----------------------------------------------------------------------------------


async def set_quorum(primary: Connection, standbys: list[str], count: int = 1) -> None:
    """Let a commit wait until so many of these standbys have it on disk, or all if they are fewer; of none: nobody."""
    await change(primary, "synchronous_standby_names", quorum_of(standbys, count))


def quorum_of(standbys: list[str], count: int = 1) -> str:
    """Return the value of synchronous_standby_names for these standbys.

    >>> quorum_of(["a", "b"])
    'ANY 1 ("a", "b")'
    """
    names = ", ".join(f'"{name}"' for name in standbys)
    return f"ANY {min(count, len(standbys))} ({names})" if names else ""


def count_of(quorum: str) -> int:
    """Return how many standbys a value of synchronous_standby_names asks for.

    >>> count_of("ANY 2 (a, b, c)"), count_of("a, b"), count_of("")
    (2, 1, 0)
    """
    said = re.match(r"\s*(?:ANY\s+|FIRST\s+)?(\d+)\s*\(", quorum, re.IGNORECASE)
    return int(said[1]) if said else min(1, len(members_of(quorum)))


def members_of(quorum: str) -> list[str]:
    """Return the names in a value of synchronous_standby_names.

    >>> members_of('ANY 1 (standby1, "standby2")')
    ['standby1', 'standby2']
    """
    inner = quorum.partition("(")[2].rpartition(")")[0] or quorum
    return [name.strip().strip('"') for name in inner.split(",") if name.strip()]


async def make_slot(primary: Connection, name: str) -> None:
    """Let a node keep its log for a standby from now on; nothing happens where it does so already."""
    await primary.execute(
        "SELECT pg_create_physical_replication_slot($1, true)"
        " WHERE NOT EXISTS (SELECT FROM pg_replication_slots WHERE slot_name = $1)",
        name,
    )


async def await_streaming(primary: Connection, name: str, within: float = 60.0) -> None:
    """Return when a standby streams from the primary. Raises TimeoutError."""
    asked = "SELECT EXISTS (SELECT FROM pg_stat_replication WHERE application_name = $1 AND state = 'streaming')"
    async with asyncio.timeout(within):
        while not await primary.fetchval(asked, name):
            await asyncio.sleep(0.05)


async def admit(primary: str, name: str) -> None:
    """Let a standby that streams count for the quorum of the primary. Raises TimeoutError when it does not stream."""
    connection = await connect(primary)
    try:
        await await_streaming(connection, name)
        told = await connection.fetchval("SHOW synchronous_standby_names")
        others = [one for one in members_of(told) if one != name]
        await set_quorum(connection, [*others, name], max(1, count_of(told)))
    finally:
        await connection.close()


# -- the address of the primary ---------------------------------------------------------------------


def readdressed(conninfo: str, host: str, port: int) -> str:
    """Return a standby's `primary_conninfo` with another address and everything else as it was.

    >>> readdressed("user=esito host=10.0.0.1 port=5432 application_name='b c'", "10.0.0.2", 5433)
    "user=esito application_name='b c' host='10.0.0.2' port='5433'"
    """
    kept = [f"{name}={value}" for name, value in _PAIR.findall(conninfo) if name not in {"host", "hostaddr", "port"}]
    return " ".join([*kept, f"host='{host}'", f"port='{port}'"])


def value_in(conninfo: str, name: str) -> str:
    """Return one value of a `primary_conninfo`, empty where it is not said."""
    return str(dict(_PAIR.findall(conninfo)).get(name, "")).strip("'")


def address_of(url: str) -> tuple[str, int]:
    """Return host and port of a node's URL. Raises ValueError for a URL without a host."""
    parts = urlsplit(url)
    if not parts.hostname:
        raise ValueError("a node is named as postgresql://user@host:port/database")
    return parts.hostname, parts.port or 5432
