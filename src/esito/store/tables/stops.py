"""The STOP lists."""

import builtins

from esito.domain.errors import StopNotFound
from esito.store.stops import Stop
from esito.store.tables.area import Area
from esito.store.tables.connection import Connection


class Stops(Area):
    """The handlers behind `Store.stops`."""

    async def list(self, account_id: int, *, after: int = 0, limit: int = 500) -> builtins.list[Stop]:
        """Return a page of the account's STOP list, oldest first."""
        rows = await self._ask_long(
            account_id,
            lambda read: read.rows("stops_of", tuple[int, str, int], account=account_id, after=after, limit=limit),
        )
        return [Stop(id=number, msisdn=msisdn, created_at=at) for number, msisdn, at in rows]

    async def count(self, account_id: int) -> int:
        """Return how many numbers are on the account's STOP list."""
        return await self._ask_long(account_id, lambda read: read.number("stop_count", account=account_id))

    async def add(self, account_id: int, msisdn: int, *, at: int) -> int:
        """Put a number on the list; return its id."""
        return await self._act(lambda open_: add_stop(open_, account_id, msisdn, at)[0])

    async def delete(self, account_id: int, stop_id: int) -> None:
        """Take a number off the list. Raises StopNotFound."""
        await self._act(lambda open_: _delete(open_, account_id, stop_id))


def add_stop(connection: Connection, account_id: int, msisdn: int, at: int) -> tuple[int, bool]:
    """Put a number on the list; return its id, and whether it is new there."""
    new = connection.run("add_stop", account=account_id, msisdn=msisdn, created_at=at) > 0
    return connection.number("stop_id", account=account_id, msisdn=msisdn), new


def _delete(connection: Connection, account_id: int, stop_id: int) -> None:
    if not connection.run("delete_stop", account=account_id, stop=stop_id):
        raise StopNotFound
