"""Finding an account's messages."""

from collections.abc import Sequence
from typing import NamedTuple

from esito.domain.pricing import from_micros
from esito.store.searching import ExportedRecipient, FoundMessage, Spot, Wanted
from esito.store.tables.area import Area
from esito.store.tables.connection import Connection
from esito.store.tables.explaining import StateCount

_LAST = Spot(2**53, 2**53)


class _Row(NamedTuple):
    id: int
    created_at: int
    due_at: int
    sender: str
    sandbox: int
    tag: str | None
    reference: str | None


def query_for(wanted: Wanted) -> str:
    """Return the name of the question whose index leads straight to what is wanted."""
    if wanted.reference is not None:
        return "found_by_reference"
    return "found_by_time" if wanted.tag is None else "found_by_tag"


class Searching(Area):
    """The handlers behind `Store.searching`."""

    async def find(self, account_id: int, wanted: Wanted, *, before: Spot | None, limit: int) -> list[FoundMessage]:
        """Return up to `limit` messages, newest first, accepted before a spot."""
        last = before or _LAST

        def page(read: Connection) -> list[FoundMessage]:
            rows = read.rows(
                query_for(wanted),
                _Row,
                account=account_id,
                since=wanted.since,
                until=wanted.until,
                before_at=last.created_at,
                before_id=last.message_id,
                tag=wanted.tag,
                reference=wanted.reference,
                limit=limit,
            )
            return [_found(read, row) for row in rows]

        return await self._ask_long(account_id, page)

    async def export(
        self, account_id: int, *, since: Spot, seq: int, until: int, limit: int
    ) -> Sequence[ExportedRecipient]:
        """Return up to `limit` recipients, oldest first, beyond `seq` of the message at a spot."""
        return await self._ask_long(
            account_id,
            lambda read: read.rows(
                "exported",
                ExportedRecipient,
                account=account_id,
                until=until,
                from_at=since.created_at,
                from_id=since.message_id,
                from_seq=seq,
                limit=limit,
            ),
        )


def _found(read: Connection, row: _Row) -> FoundMessage:
    counts = read.rows("message_counts", StateCount, message_id=row.id)
    return FoundMessage(
        message_id=row.id,
        created_at=row.created_at,
        due_at=row.due_at,
        sender=row.sender,
        sandbox=bool(row.sandbox),
        tag=row.tag,
        reference=row.reference,
        by_state={one.state: one.recipients for one in counts},
        segments=sum(one.segments for one in counts),
        cost=from_micros(sum(one.cost for one in counts)),
    )
