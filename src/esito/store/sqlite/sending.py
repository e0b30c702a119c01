"""Cancelling scheduled messages, and remembering what was answered under an idempotency key."""

import apsw

from esito.domain.errors import AlreadyCancelled, AlreadySent, MessageNotFound, TooLateToCancel
from esito.domain.timing import MINUTE_MS
from esito.store.sending import AnsweredOnce
from esito.store.sqlite.area import Area
from esito.store.sqlite.connection import QUERIES
from esito.store.sqlite.giving_up import give_up_unsent, send_no_more

CANCEL_BEFORE_MS = 5 * MINUTE_MS
"""A message is sent once it is due in less (contract 2.4, code 6)."""


class Sending(Area):
    """`SendingStore` in SQLite."""

    async def cancel(self, account_id: int, message_id: int, *, at: int) -> None:
        """Take back a scheduled message."""
        await self._act(lambda connection: _cancel(connection, account_id, message_id, at))

    async def answered_once(self, account_id: int, key: str) -> AnsweredOnce | None:
        """Return what was answered under this key."""
        row = self._read.execute(QUERIES["answered_once"], (account_id, key)).fetchone()
        if row is None:
            return None
        request, message_id, answer = row
        return AnsweredOnce(request=bytes(request), message_id=int(message_id), answer=str(answer))


def _cancel(connection: apsw.Connection, account_id: int, message_id: int, at: int) -> None:
    row = connection.execute(QUERIES["cancellable"], (message_id, account_id)).fetchone()
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
        connection.execute(QUERIES["make_all_ko"], (message_id, at))
    else:
        give_up_unsent(connection, message_id, at)
        send_no_more(connection, message_id, due_at)
    connection.execute(QUERIES["set_cancelled"], (message_id, at))
