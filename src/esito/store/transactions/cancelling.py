"""Giving up what has not left: recipients become KO, and their price goes back to the credit."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from esito.domain.errors import AlreadyCancelled, AlreadySent, MessageNotFound, TooLateToCancel
from esito.domain.pricing import from_micros
from esito.domain.states import MessageState
from esito.domain.timing import MINUTE_MS
from esito.store.interface.message_store import TakenBack
from esito.store.sql_connection import Connection
from esito.store.transactions.accounts import account_named
from esito.store.transactions.auditing import note
from esito.store.transactions.spending import take_off

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


MESSAGES_AT_ONCE, RECIPIENTS_AT_ONCE = 100, 500
"""What one transaction takes back: some tens of milliseconds of the writer's time, and sends go on."""


def queued_messages(connection: Connection, account: str) -> dict[int, int]:
    """Return messages that wait in whole or in part, and how many recipients each has. Raises NoSuchAccount."""
    accounts = connection.numbers("accounts_below", account=account_named(connection, account).id)
    found = connection.rows("queued_messages", tuple[int, int], accounts=accounts, limit=MESSAGES_AT_ONCE)
    if not found:
        found = connection.rows("postponed_messages", tuple[int, int], accounts=accounts, limit=MESSAGES_AT_ONCE)
    return portion(found, RECIPIENTS_AT_ONCE)


def take_back_all(connection: Connection, messages: Mapping[int, int], at: int) -> TakenBack:
    """Take back what waits of these messages, each given with its count of recipients."""
    recipients, cost = give_up_unsent(connection, list(messages), at)
    send_no_more(connection, list(messages))
    for message_id in messages:
        connection.run("set_taken_back", message_id=message_id, cancelled_at=at)
    return TakenBack(len(messages), recipients, sum(messages.values()), from_micros(cost))


def take_back(connection: Connection, message_id: int, actor: str, at: int) -> TakenBack:
    """Take back what is not claimed yet of any message. Raises MessageNotFound, AlreadyCancelled, AlreadySent."""
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
        taken = take_back_all(connection, {message_id: recipients}, at)
    details = f"{taken.recipients} of {taken.of} recipients of {account}, {taken.cost:+f}"
    note(connection, at=at, actor=actor, act="message taken back", subject=str(message_id), details=details)
    return taken


def cancel(connection: Connection, account_id: int, message_id: int, at: int) -> None:
    """Take back a scheduled message. Raises MessageNotFound, AlreadyCancelled, AlreadySent, TooLateToCancel."""
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


class _Unsent(NamedTuple):
    """A recipient that no operator ever took."""

    message_id: int
    seq: int
    cost: int
    segments: int
    account: int
    created_at: int


def portion(found: Iterable[tuple[int, int]], most: int) -> dict[int, int]:
    """Return messages with how many recipients each has, up to so many of them; the first message in any case."""
    messages: dict[int, int] = {}
    recipients = 0
    for message_id, count in found:
        recipients += count
        if messages and recipients > most:
            break
        messages[message_id] = count
    return messages


def give_up_unsent(connection: Connection, messages: Sequence[int], at: int) -> tuple[int, int]:
    """Let recipients that no operator ever took become KO, and give their price back; return how many, and how much."""
    unsent = connection.rows("never_submitted", _Unsent, messages=messages)
    if not unsent:
        return 0, 0
    connection.run_rows("give_back", [(one.message_id, one.cost) for one in unsent])
    take_off(connection, [(one.account, one.created_at, one.cost, one.segments) for one in unsent])
    connection.run_rows("make_ko", [(one.message_id, one.seq, at) for one in unsent])
    connection.run_rows("callbacks_of_ko", [(one.message_id, one.seq, int(MessageState.KO), at) for one in unsent])
    return len(unsent), sum(one.cost for one in unsent)


def send_no_more(connection: Connection, messages: Sequence[int]) -> None:
    """Keep back what has not left yet, even of recipients who got a part of their text."""
    connection.run("drop_outgoing_of", messages=messages)
    connection.run("drop_unsent_parts_of", messages=messages)
    connection.run("drop_postponed_of", messages=messages)
