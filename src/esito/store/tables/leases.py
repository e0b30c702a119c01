"""Leases in tables."""

from esito.domain.errors import Fenced
from esito.store.leases import Lease, LeaseLine
from esito.store.tables.area import Area
from esito.store.tables.connection import Connection


class Leases(Area):
    """The handlers behind `Store.leases`."""

    async def take(self, name: str, holder: str, *, seconds: float) -> Lease | None:
        """Take what nobody holds."""
        milliseconds = int(seconds * 1000)
        token = await self._act_beside(
            lambda open_: open_.number("take_lease", name=name, holder=holder, milliseconds=milliseconds)
        )
        return Lease(name, token) if token else None

    async def renew(self, lease: Lease, *, seconds: float, told: str = "") -> bool:
        """Hold it for longer."""
        milliseconds = int(seconds * 1000)
        return bool(
            await self._act_beside(
                lambda open_: open_.run(
                    "renew_lease", name=lease.name, token=lease.token, milliseconds=milliseconds, told=told
                )
            )
        )

    async def give_back(self, lease: Lease) -> None:
        """Let others take it at once."""
        await self._act_beside(lambda open_: open_.run("end_lease", name=lease.name, token=lease.token))

    async def now(self) -> int:
        """Return the time of the database."""
        return await self._ask(lambda read: read.number("database_clock"))

    async def all(self) -> list[LeaseLine]:
        """Return every lease."""
        return await self._ask(lambda read: read.rows("leases", LeaseLine))


def require_lease(connection: Connection, lease: Lease | None) -> None:
    """Let nobody take the lease until the transaction ends. Raises Fenced when somebody has."""
    if lease is not None and not connection.number("holds_lease", name=lease.name, token=lease.token):
        raise Fenced(f"{lease.name} is held by another process now")
