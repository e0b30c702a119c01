"""Leases: taken, renewed and given back, and required by whoever acts under one."""

from esito.domain.errors import Fenced
from esito.store.interface.link_store import Lease, LeaseLine
from esito.store.sql_connection import Connection


def require_lease(connection: Connection, lease: Lease | None) -> None:
    """Let nobody take the lease until the transaction ends. Raises Fenced when somebody has."""
    if lease is not None and not connection.number("holds_lease", name=lease.name, token=lease.token):
        raise Fenced(f"{lease.name} is held by another process now")


def take(connection: Connection, name: str, holder: str, milliseconds: int) -> Lease | None:
    """Take what nobody holds; None while somebody else holds it."""
    token = connection.number("take_lease", name=name, holder=holder, milliseconds=milliseconds)
    return Lease(name, token) if token else None


def renew(connection: Connection, lease: Lease, milliseconds: int, told: str) -> bool:
    """Hold it for so long from now; False when it has changed hands."""
    return bool(connection.run("renew_lease", name=lease.name, token=lease.token, milliseconds=milliseconds, told=told))


def give_back(connection: Connection, lease: Lease) -> None:
    """Let others take it at once, if it is still ours."""
    connection.run("end_lease", name=lease.name, token=lease.token)


def read_clock(read: Connection) -> int:
    """Return what time it is by the clock of the database, in milliseconds since the epoch."""
    return read.number("database_clock")


def read_leases(read: Connection) -> list[LeaseLine]:
    """Return every lease that was ever taken, by name."""
    return read.rows("leases", LeaseLine)
