"""Cancelling scheduled messages, and remembering what was answered under an idempotency key."""

from esito.domain.errors import AlreadyCancelled, AlreadySent, MessageNotFound, TooLateToCancel
from esito.domain.timing import MINUTE_MS
from esito.store.sending import AnsweredOnce
from esito.store.tables.area import Area
from esito.store.tables.connection import Connection
from esito.store.tables.giving_up import give_up_unsent, send_no_more

CANCEL_BEFORE_MS = 5 * MINUTE_MS
"""A message is sent once it is due in less (contract 2.4, code 6)."""


class Sending(Area):
    """`SendingStore` in SQLite."""

    async def cancel(self, account_id: int, message_id: int, *, at: int) -> None:
        """Take back a scheduled message."""
        await self._act(lambda connection: _cancel(connection, account_id, message_id, at))

    async def answered_once(self, account_id: int, key: str) -> AnsweredOnce | None:
        """Return what was answered under this key."""
        row = await self._ask(lambda read: read.row("answered_once", account_id, key))
        if row is None:
            return None
        request, message_id, answer = row
        return AnsweredOnce(request=bytes(request), message_id=int(message_id), answer=str(answer))


def _cancel(connection: Connection, account_id: int, message_id: int, at: int) -> None:
    row = connection.row("cancellable", message_id, account_id)
    if row is None:
        raise MessageNotFound
    due_at, cancelled_at, sandbox, scheduled = row
    if cancelled_at is not None:
        raise AlreadyCancelled
    if not scheduled or due_at <= at:
        raise AlreadySent
    if due_at - at < CANCEL_BEFORE_MS:
        raise TooLateToCancel
    if sandbox:  # it was never to leave, and cost nothing
        connection.run("make_all_ko", message_id, at)
    else:
        give_up_unsent(connection, [message_id], at)
        send_no_more(connection, [message_id])
    connection.run("set_cancelled", message_id, at)
