"""Links that commands have added or changed, in tables."""

from esito.domain.errors import LinkChanged, LinkInUse
from esito.store.links import KeptLink, LinkWork
from esito.store.tables.area import Area
from esito.store.tables.auditing import note
from esito.store.tables.connection import Connection

NOTHING = "{}"
"""No settings."""

NO_WORK = LinkWork(0, 0, 0)


class Keeper(Area):
    """The handlers behind `Store.links`."""

    async def all(self) -> list[KeptLink]:
        """Return what is kept, by name."""
        return [_kept(row) for row in await self._ask(lambda read: read.rows("links_kept", tuple[str, int, str]))]

    async def keep(
        self, after: KeptLink, *, before: KeptLink | None, act: str, details: str, actor: str, at: int
    ) -> None:
        """Put this in the place of what was kept before."""

        def keep(connection: Connection) -> None:
            _require(connection, after.name, before)
            if after.added or after.settings != NOTHING:
                connection.run("keep_link_settings", name=after.name, added=int(after.added), settings=after.settings)
            else:  # nothing goes over the file any more
                connection.run("forget_link_settings", name=after.name)
            note(connection, at=at, actor=actor, act=act, subject=after.name, details=details)

        await self._act(keep)

    async def remove(self, before: KeptLink, *, forced: bool, details: str, actor: str, at: int) -> None:
        """Forget an added link."""

        def remove(connection: Connection) -> None:
            _require(connection, before.name, before)
            if not forced and any(_work(connection, before.name)):
                raise LinkInUse
            connection.run("forget_link_settings", name=before.name)
            note(connection, at=at, actor=actor, act="link removed", subject=before.name, details=details)

        await self._act(remove)

    async def work(self, name: str) -> LinkWork:
        """Count what still has to do with a link."""
        return await self._ask(lambda read: _work(read, name))


def _kept(row: tuple[str, int, str]) -> KeptLink:
    name, added, settings = row
    return KeptLink(name, bool(added), settings)


def _require(connection: Connection, name: str, before: KeptLink | None) -> None:
    """Let nobody change what is kept of a link behind our back. Raises LinkChanged."""
    connection.hold("link_kept")
    row = connection.row("link_kept", tuple[str, int, str], name=name)
    if (None if row is None else _kept(row)) != before:
        raise LinkChanged(f"somebody else has changed link {name} meanwhile; look at it and try again")


def _work(connection: Connection, name: str) -> LinkWork:
    number = connection.number("link_named", name=name)
    found = connection.row("link_work", LinkWork, link=number) if number else None
    return found or NO_WORK
