"""Reaching the primary: one host, or whichever of several is it now."""

import asyncio
import socket
from typing import Any, TypeAlias
from urllib.parse import urlsplit, urlunsplit

import asyncpg

Connection: TypeAlias = "asyncpg.Connection[Any]"

CONNECT_WITHIN = 5.0
"""Seconds for a connection to be made."""

EACH_WITHIN = 2.0
"""Seconds for each of several hosts: one that hangs must not keep us from the others."""

SILENT_MS = 8_000
"""How long the network may swallow what we send before the connection counts as lost."""

LOST = (OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.AdminShutdownError,
        asyncpg.CrashShutdownError, asyncpg.CannotConnectNowError, asyncpg.TooManyConnectionsError,
        asyncpg.ReadOnlySQLTransactionError, asyncpg.IdleInTransactionSessionTimeoutError, TimeoutError,
        asyncpg.InternalClientError)  # fmt: skip
"""What a connection that is gone, or leads to a server that is not the primary any more, looks like.

(The driver's own confusion is what it says of one that the server ended between two statements.)
"""

BLAMED = ("0A", "21", "22", "23", "42", "44", "54")
"""Classes of SQLSTATE by which the server blames a statement, or the values it was given."""


def failed_us(error: BaseException) -> bool:
    """Tell whether the server, or the way to it, is at fault, and not what it was asked."""
    if isinstance(error, asyncpg.PostgresError):
        return (error.sqlstate or "")[:2] not in BLAMED
    return isinstance(error, LOST)


_TIMELINE = "SELECT ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::bigint"


async def open_connection(url: str, settings: dict[str, str]) -> Connection:
    """Connect to the primary among the URL's hosts.

    Every promotion begins a new timeline. Where two hosts believe to be the primary, as when one was asleep while
    another took its place, the higher timeline is the true one. Raises what is in LOST, and PostgresError.
    """
    hosts = hosts_of(url)
    if len(hosts) == 1:
        return await _open(url, settings, CONNECT_WITHIN)
    tried = await asyncio.gather(*(_dated(host, settings) for host in hosts), return_exceptions=True)
    dated = sorted((one for one in tried if not isinstance(one, BaseException)), key=lambda one: one[0])
    if not dated:
        raise next((one for one in tried if isinstance(one, Exception)), OSError("no host answers"))
    *others, (_, connection) = dated
    for _, other in others:
        other.terminate()
    return connection


def hosts_of(url: str) -> list[str]:
    """Return a URL for each host that this one names."""
    parts = urlsplit(url)
    user, at, hosts = parts.netloc.rpartition("@")
    return [urlunsplit(parts._replace(netloc=f"{user}{at}{host}")) for host in hosts.split(",")]


async def _dated(url: str, settings: dict[str, str]) -> tuple[int, Connection]:
    connection = await _open(url, settings, EACH_WITHIN)
    try:
        return await connection.fetchval(_TIMELINE, timeout=EACH_WITHIN), connection
    except BaseException:
        connection.terminate()
        raise


async def _open(url: str, settings: dict[str, str], within: float) -> Connection:
    connection = await asyncpg.connect(
        url,
        timeout=within,
        server_settings=settings,
        statement_cache_size=400,
        target_session_attrs="read-write",
    )
    found = connection._transport.get_extra_info("socket")  # noqa: SLF001  the driver shows it nowhere else
    if found is not None and found.family in {socket.AF_INET, socket.AF_INET6}:
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, SILENT_MS)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 3)
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, 2)
        found.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, 3)
    return connection
