"""Administrators and their keys."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from esito.domain.credentials import Administrator
from esito.domain.errors import NameTaken, NoSuchAdministrator
from esito.store.sql_connection import Connection, Read
from esito.store.transactions.auditing import note


class AdministratorRow(NamedTuple):
    """An administrator as it is kept."""

    id: int
    name: str
    created_at: int
    disabled: int
    networks: str


def by_key(digest: bytes) -> Read[AdministratorRow]:
    """Ask whose key this is."""
    return Read("administrator_by_key", AdministratorRow, digest=digest)


def read_all(read: Connection) -> list[Administrator]:
    """Return every administrator, by name."""
    return [read_one(row) for row in read.rows("administrators", AdministratorRow)]


def create(
    connection: Connection, name: str, digest: bytes, networks: Sequence[str], *, actor: str, at: int
) -> Administrator:
    """Keep an administrator's key. Raises NameTaken."""
    if connection.row("administrator_named", AdministratorRow, name=name) is not None:
        raise NameTaken(f"there is an administrator named {name!r} already")
    kept = msgspec.json.encode(networks).decode()
    connection.run("insert_administrator", name=name, digest=digest, created_at=at, networks=kept)
    from_where = f"from {', '.join(networks)}" if networks else ""
    note(connection, at=at, actor=actor, act="administrator created", subject=name, details=from_where)
    return _named(connection, name)


def set_disabled(connection: Connection, name: str, *, disabled: bool, actor: str, at: int) -> Administrator:
    """Let a key open nothing any more, or again. Raises NoSuchAdministrator."""
    if _named(connection, name).disabled != disabled:
        connection.run("disable_administrator", name=name, disabled=int(disabled))
        act = "administrator disabled" if disabled else "administrator enabled"
        note(connection, at=at, actor=actor, act=act, subject=name)
    return _named(connection, name)


def replace_key(connection: Connection, name: str, digest: bytes, *, actor: str, at: int) -> Administrator:
    """Give an administrator another key; the one before opens nothing any more. Raises NoSuchAdministrator."""
    _named(connection, name)
    connection.run("replace_administrator_key", name=name, digest=digest)
    note(connection, at=at, actor=actor, act="administrator's key replaced", subject=name)
    return _named(connection, name)


def _named(connection: Connection, name: str) -> Administrator:
    row = connection.row("administrator_named", AdministratorRow, name=name)
    if row is None:
        raise NoSuchAdministrator(f"there is no administrator named {name!r}")
    return read_one(row)


def read_one(row: AdministratorRow) -> Administrator:
    """Make an administrator of its row."""
    return Administrator(
        id=row.id,
        name=row.name,
        created_at=row.created_at,
        disabled=bool(row.disabled),
        networks=msgspec.json.decode(row.networks, type=tuple[str, ...]),
    )
