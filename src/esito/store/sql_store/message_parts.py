"""Cancelling, idempotency, search and export, retention and erasing: the event loop's side."""

from collections.abc import Sequence
from functools import partial

import structlog

from esito.store.interface.message_store import (
    ExportedRecipient,
    FoundMessage,
    IdempotentAnswer,
    MessageFilter,
    MessagePosition,
    TakenBack,
)
from esito.store.interface.retention_store import BEGINNING, Erased, Sweep, SweepPosition
from esito.store.sql_store.store_part import StorePart
from esito.store.transactions import cancelling, erasing, message_reading
from esito.store.transactions.retention import AT_ONCE, erase_some_places, erase_without_trace, sweep


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

    async def answered_once(self, account_id: int, key: str) -> IdempotentAnswer | None:
        """Return what was answered under this key."""
        return await self._ask(lambda read: message_reading.read_answered_once(read, account_id, key))


class SearchPart(StorePart):
    """What is behind `Store.searching`."""

    async def find(
        self, account_id: int, wanted: MessageFilter, *, before: MessagePosition | None, limit: int
    ) -> list[FoundMessage]:
        """Return up to `limit` messages, newest first, accepted before a spot."""
        return await self._ask_long(
            account_id,
            lambda read: message_reading.find_messages(read, account_id, wanted, before=before, limit=limit),
        )

    async def export(
        self, account_id: int, *, since: MessagePosition, seq: int, until: int, limit: int
    ) -> Sequence[ExportedRecipient]:
        """Return up to `limit` recipients, oldest first, beyond `seq` of the message at a spot."""
        return await self._ask_long(
            account_id,
            lambda read: message_reading.export_recipients(
                read, account_id, since=since, seq=seq, until=until, limit=limit
            ),
        )


log = structlog.get_logger()


class RetentionPart(StorePart):
    """What is behind `Store.retention`."""

    async def sweep(self, kind: Sweep, *, before: int, beyond: SweepPosition = BEGINNING) -> SweepPosition | None:
        """Treat some things of a kind that are as old as `before`; return where to go on."""
        if kind is Sweep.STATUSES and beyond == BEGINNING:
            await self._engine.drop_old(before)
        return await self._act_patiently(lambda open_: sweep(open_, kind, before, beyond))

    async def erase(self, msisdn: str, *, account_id: int | None, forget_stop: bool, actor: str, at: int) -> Erased:
        """Remove a number. Raises NumberInUse."""
        digits = msisdn.removeprefix("+")
        if account_id is None:
            found = await self._engine.ask_aside(lambda aside: erasing.find(aside, digits))
        else:
            of_account = partial(erasing.find_of_account, digits=digits, account_id=account_id)
            found = await self._ask_long(account_id, of_account)
        await self._ask(lambda read: erasing.refuse_unfinished(read, digits, account_id, found.places, at))
        responses, erased = await self._act(
            lambda open_: erasing.erase_beginning(
                open_, digits, account_id, found, forget_stop=forget_stop, actor=actor, at=at
            )
        )
        for act, numbers in (
            (erasing.erase_responses, responses),
            (erasing.erase_repeats, found.repeats),
            (erasing.erase_loose, found.loose),
        ):
            for start in range(0, len(numbers), AT_ONCE):
                chunk = partial(erase_without_trace, act=act, numbers=numbers[start : start + AT_ONCE])
                await self._act_patiently(chunk)
        for start in range(0, len(found.places), AT_ONCE):
            places = found.places[start : start + AT_ONCE]
            await self._act_patiently(partial(erase_some_places, places=places, digits=digits, at=at))
        if not await self._engine.checkpoint():
            log.info("erased_in_the_log_later", reason="somebody reads the database; the engine does it by itself")
        return erased
