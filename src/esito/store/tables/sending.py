"""Cancelling scheduled messages, and remembering what was answered under an idempotency key."""

from collections.abc import Mapping
from typing import NamedTuple

from esito.domain.errors import AlreadyCancelled, AlreadySent, MessageNotFound, TooLateToCancel
from esito.domain.pricing import from_micros
from esito.domain.timing import MINUTE_MS
from esito.store.sending import AnsweredOnce, TakenBack
from esito.store.tables.accounts import account_named
from esito.store.tables.area import Area
from esito.store.tables.auditing import note
from esito.store.tables.connection import Connection
from esito.store.tables.giving_up import give_up_unsent, portion, send_no_more

CANCEL_BEFORE_MS = 5 * MINUTE_MS
"""A message is sent once it is due in less (contract 2.4, code 6)."""


class _ToTakeBack(NamedTuple):
    """A message that an administrator takes back; `account` is a name."""

    account: str
    due_at: int
    cancelled_at: int | None
    sandbox: int
    recipients: int
    waits: int


class _Cancellable(NamedTuple):
    """A message that its sender takes back."""

    due_at: int
    cancelled_at: int | None
    sandbox: int
    scheduled: int


class Sending(Area):
    """`SendingStore` in SQLite."""

    async def cancel(self, account_id: int, message_id: int, *, at: int) -> None:
        """Take back a scheduled message."""
        await self._act(lambda connection: _cancel(connection, account_id, message_id, at))

    async def take_back(self, message_id: int, *, actor: str, at: int) -> TakenBack:
        """Take back what is not claimed yet of any message."""
        return await self._act(lambda connection: _take_back(connection, message_id, actor, at))

    async def take_back_queued(self, account: str, *, at: int) -> TakenBack:
        """Take back some of what an account, and those below it, have queued."""
        waiting = await self._ask(lambda read: _queued(read, account))
        if not waiting:
            return TakenBack()
        return await self._act(lambda connection: _take_back_all(connection, waiting, at))

    async def answered_once(self, account_id: int, key: str) -> AnsweredOnce | None:
        """Return what was answered under this key."""
        row = await self._ask(
            lambda read: read.row("answered_once", tuple[bytes, int, str], account=account_id, key=key)
        )
        if row is None:
            return None
        request, message_id, answer = row
        return AnsweredOnce(request=request, message_id=message_id, answer=answer)


MESSAGES_AT_ONCE, RECIPIENTS_AT_ONCE = 100, 500
"""What one transaction takes back: some tens of milliseconds of the writer's time, and sends go on."""


def _queued(connection: Connection, account: str) -> dict[int, int]:
    """Return messages that wait in whole or in part, and how many recipients each has. Raises NoSuchAccount."""
    accounts = connection.numbers("accounts_below", account=account_named(connection, account).id)
    found = connection.rows("queued_messages", tuple[int, int], accounts=accounts, limit=MESSAGES_AT_ONCE)
    if not found:
        found = connection.rows("postponed_messages", tuple[int, int], accounts=accounts, limit=MESSAGES_AT_ONCE)
    return portion(found, RECIPIENTS_AT_ONCE)


def _take_back_all(connection: Connection, messages: Mapping[int, int], at: int) -> TakenBack:
    recipients, cost = give_up_unsent(connection, list(messages), at)
    send_no_more(connection, list(messages))
    for message_id in messages:
        connection.run("set_taken_back", message_id=message_id, cancelled_at=at)
    return TakenBack(len(messages), recipients, sum(messages.values()), from_micros(cost))


def _take_back(connection: Connection, message_id: int, actor: str, at: int) -> TakenBack:
    row = connection.row("to_take_back", _ToTakeBack, message_id=message_id)
    if row is None:
        raise MessageNotFound(f"there is no message {message_id}")
    account, due_at, cancelled_at, sandbox, recipients, waits = row
    rehearsed = sandbox and due_at > at and cancelled_at is None
    if not (waits or rehearsed):
        raise AlreadyCancelled if cancelled_at is not None else AlreadySent(f"nothing of message {message_id} waits")
    if rehearsed:
        connection.run("make_all_ko", message_id=message_id, changed_at=at)
        connection.run("set_taken_back", message_id=message_id, cancelled_at=at)
        taken = TakenBack(1, recipients, recipients)
    else:
        taken = _take_back_all(connection, {message_id: recipients}, at)
    details = f"{taken.recipients} of {taken.of} recipients of {account}, {taken.cost:+f}"
    note(connection, at=at, actor=actor, act="message taken back", subject=str(message_id), details=details)
    return taken


def _cancel(connection: Connection, account_id: int, message_id: int, at: int) -> None:
    row = connection.row("cancellable", _Cancellable, message_id=message_id, account=account_id)
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
        connection.run("make_all_ko", message_id=message_id, changed_at=at)
    else:
        give_up_unsent(connection, [message_id], at)
        send_no_more(connection, [message_id])
    connection.run("set_cancelled", message_id=message_id, cancelled_at=at)
