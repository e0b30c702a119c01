"""Cancelling, idempotency, search and export: the event loop's side."""

from collections.abc import Sequence

from esito.store.interface.message_store import (
    AnsweredOnce,
    ExportedRecipient,
    FoundMessage,
    MessageFilter,
    Spot,
    TakenBack,
)
from esito.store.sql_store.store_part import StorePart
from esito.store.transactions import cancelling, message_reading


class SendingPart(StorePart):
    """What is behind `Store.sending`."""

    async def cancel(self, account_id: int, message_id: int, *, at: int) -> None:
        """Take back a scheduled message."""
        await self._act(lambda open_: cancelling.cancel(open_, account_id, message_id, at))

    async def take_back(self, message_id: int, *, actor: str, at: int) -> TakenBack:
        """Take back what is not claimed yet of any message."""
        return await self._act(lambda open_: cancelling.take_back(open_, message_id, actor, at))

    async def take_back_queued(self, account: str, *, at: int) -> TakenBack:
        """Take back some of what an account, and those below it, have queued."""
        waiting = await self._ask(lambda read: cancelling.queued_messages(read, account))
        if not waiting:
            return TakenBack()
        return await self._act(lambda open_: cancelling.take_back_all(open_, waiting, at))

    async def answered_once(self, account_id: int, key: str) -> AnsweredOnce | None:
        """Return what was answered under this key."""
        return await self._ask(lambda read: message_reading.read_answered_once(read, account_id, key))


class SearchPart(StorePart):
    """What is behind `Store.searching`."""

    async def find(
        self, account_id: int, wanted: MessageFilter, *, before: Spot | None, limit: int
    ) -> list[FoundMessage]:
        """Return up to `limit` messages, newest first, accepted before a spot."""
        return await self._ask_long(
            account_id,
            lambda read: message_reading.find_messages(read, account_id, wanted, before=before, limit=limit),
        )

    async def export(
        self, account_id: int, *, since: Spot, seq: int, until: int, limit: int
    ) -> Sequence[ExportedRecipient]:
        """Return up to `limit` recipients, oldest first, beyond `seq` of the message at a spot."""
        return await self._ask_long(
            account_id,
            lambda read: message_reading.export_recipients(
                read, account_id, since=since, seq=seq, until=until, limit=limit
            ),
        )
