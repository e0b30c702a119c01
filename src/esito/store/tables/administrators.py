"""Administrators and their keys, in tables."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from esito.domain.credentials import Administrator
from esito.domain.errors import NameTaken, NoSuchAdministrator
from esito.store.tables.area import Area
from esito.store.tables.auditing import note
from esito.store.tables.connection import Connection


class Row(NamedTuple):
    """An administrator as it is kept."""

    id: int
    name: str
    created_at: int
    disabled: int
    networks: str


class Administrators(Area):
    """The handlers behind `Store.administrators`."""

    async def create(
        self, name: str, *, key_digest: bytes, networks: Sequence[str], actor: str, at: int
    ) -> Administrator:
        """Keep an administrator's key. Raises NameTaken."""

        def create(connection: Connection) -> Administrator:
            if connection.row("administrator_named", Row, name=name) is not None:
                raise NameTaken(f"there is an administrator named {name!r} already")
            connection.run(
                "insert_administrator",
                name=name,
                digest=key_digest,
                created_at=at,
                networks=msgspec.json.encode(networks).decode(),
            )
            from_where = f"from {', '.join(networks)}" if networks else ""
            note(connection, at=at, actor=actor, act="administrator created", subject=name, details=from_where)
            return _named(connection, name)

        return await self._act(create)

    async def all(self) -> list[Administrator]:
        """Return every administrator, by name."""
        return [_read(row) for row in await self._ask(lambda read: read.rows("administrators", Row))]

    async def by_key(self, key_digest: bytes) -> Administrator | None:
        """Return whose key this is; None for an unknown or disabled one."""
        rows = await self._engine.rows("administrator_by_key", Row, digest=key_digest)
        return _read(rows[0]) if rows else None

    async def set_disabled(self, name: str, *, disabled: bool, actor: str, at: int) -> Administrator:
        """Let a key open nothing any more, or again. Raises NoSuchAdministrator."""

        def set_disabled(connection: Connection) -> Administrator:
            before = _named(connection, name)
            if before.disabled != disabled:
                connection.run("disable_administrator", name=name, disabled=int(disabled))
                act = "administrator disabled" if disabled else "administrator enabled"
                note(connection, at=at, actor=actor, act=act, subject=name)
            return _named(connection, name)

        return await self._act(set_disabled)

    async def replace_key(self, name: str, *, key_digest: bytes, actor: str, at: int) -> Administrator:
        """Give an administrator another key; the one before opens nothing any more. Raises NoSuchAdministrator."""

        def replace(connection: Connection) -> Administrator:
            _named(connection, name)
            connection.run("replace_administrator_key", name=name, digest=key_digest)
            note(connection, at=at, actor=actor, act="administrator's key replaced", subject=name)
            return _named(connection, name)

        return await self._act(replace)


def _named(connection: Connection, name: str) -> Administrator:
    row = connection.row("administrator_named", Row, name=name)
    if row is None:
        raise NoSuchAdministrator(f"there is no administrator named {name!r}")
    return _read(row)


def _read(row: Row) -> Administrator:
    return Administrator(
        id=row.id,
        name=row.name,
        created_at=row.created_at,
        disabled=bool(row.disabled),
        networks=msgspec.json.decode(row.networks, type=tuple[str, ...]),
    )
