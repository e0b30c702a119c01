"""Removing what is too old, and erasing one number piece by piece: the event loop's side."""

from functools import partial

import structlog

from esito.store.interface.retention_store import BEGINNING, Erased, Sweep, SweepPosition
from esito.store.sql_store.store_part import StorePart
from esito.store.transactions import erasing
from esito.store.transactions.retention import AT_ONCE, erase_some_places, erase_without_trace, sweep

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
