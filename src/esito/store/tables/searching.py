"""Finding an account's messages."""

from collections.abc import Sequence
from typing import Any

from esito.domain.pricing import from_micros
from esito.store.searching import ExportedRecipient, FoundMessage, Spot, Wanted
from esito.store.tables.area import Area
from esito.store.tables.connection import Connection

_LAST = Spot(2**53, 2**53)


def query_for(wanted: Wanted) -> str:
    """Return the name of the question whose index leads straight to what is wanted."""
    if wanted.reference is not None:
        return "found_by_reference"
    return "found_by_time" if wanted.tag is None else "found_by_tag"


class Searching(Area):
    """The handlers behind `Store.searching`."""

    async def find(self, account_id: int, wanted: Wanted, *, before: Spot | None, limit: int) -> list[FoundMessage]:
        """Return up to `limit` messages, newest first, accepted before a spot."""
        asked = (account_id, wanted.since, wanted.until, *(before or _LAST), wanted.tag, wanted.reference, limit)
        name = query_for(wanted)
        return await self._ask_long(account_id, lambda read: [_found(read, row) for row in read.rows(name, *asked)])

    async def export(
        self, account_id: int, *, since: Spot, seq: int, until: int, limit: int
    ) -> Sequence[ExportedRecipient]:
        """Return up to `limit` recipients, oldest first, beyond `seq` of the message at a spot."""
        asked = (account_id, until, since.created_at, since.message_id, seq, limit)
        rows = await self._ask_long(account_id, lambda read: read.rows("exported", *asked))
        return [ExportedRecipient(*row) for row in rows]


def _found(read: Connection, row: Any) -> FoundMessage:
    number, created_at, due_at, sender, sandbox, tag, reference = row
    counts = read.rows("message_counts", number)
    return FoundMessage(
        message_id=number,
        created_at=created_at,
        due_at=due_at,
        sender=sender,
        sandbox=bool(sandbox),
        tag=tag,
        reference=reference,
        by_state={state: count for state, count, _, _ in counts},
        segments=sum(segments for _, _, segments, _ in counts),
        cost=from_micros(sum(cost for _, _, _, cost in counts)),
    )
