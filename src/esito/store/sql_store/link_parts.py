"""Settings of links that commands changed, and leases: the event loop's side."""

from esito.store.interface.link_store import KeptLink, Lease, LeaseLine, LinkWork
from esito.store.sql_store.store_part import StorePart
from esito.store.transactions import leases, link_rows


class LinkSettingPart(StorePart):
    """What is behind `Store.links`."""

    async def all(self) -> list[KeptLink]:
        """Return what is kept, by name."""
        return await self._ask(link_rows.read_kept_links)

    async def keep(
        self, after: KeptLink, *, before: KeptLink | None, act: str, details: str, actor: str, at: int
    ) -> None:
        """Put this in the place of what was kept before."""
        await self._act(
            lambda open_: link_rows.keep_link(open_, after, before=before, act=act, details=details, actor=actor, at=at)
        )

    async def remove(self, before: KeptLink, *, forced: bool, details: str, actor: str, at: int) -> None:
        """Forget an added link."""
        await self._act(
            lambda open_: link_rows.remove_link(open_, before, forced=forced, details=details, actor=actor, at=at)
        )

    async def work(self, name: str) -> LinkWork:
        """Count what still has to do with a link."""
        return await self._ask(lambda read: link_rows.link_work(read, name))


class LeasePart(StorePart):
    """What is behind `Store.leases`."""

    async def take(self, name: str, holder: str, *, seconds: float) -> Lease | None:
        """Take what nobody holds."""
        return await self._act_beside(lambda open_: leases.take(open_, name, holder, int(seconds * 1000)))

    async def renew(self, lease: Lease, *, seconds: float, told: str = "") -> bool:
        """Hold it for longer."""
        return await self._act_beside(lambda open_: leases.renew(open_, lease, int(seconds * 1000), told))

    async def give_back(self, lease: Lease) -> None:
        """Let others take it at once."""
        await self._act_beside(lambda open_: leases.give_back(open_, lease))

    async def now(self) -> int:
        """Return the time of the database."""
        return await self._ask(leases.read_clock)

    async def all(self) -> list[LeaseLine]:
        """Return every lease."""
        return await self._ask(leases.read_leases)
