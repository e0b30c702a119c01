"""Keeping what was accepted: many sends, one handful of statements."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from time import monotonic

from esito.domain.errors import AnsweredBefore, EsitoError
from esito.domain.message import NewMessage, NewRecipient, sandbox_state
from esito.domain.states import MessageState, is_final
from esito.domain.timing import DAY_MS, VALIDITY_MS
from esito.domain.turns import SCHEDULED, lane_of
from esito.store.sql_connection import Connection, Json, SqlValue, Step
from esito.store.transactions.spending import CreditCheck

ID_BLOCK = 1000
"""Message ids are handed out from blocks, so that a send need not write a counter."""

BLOCK_LASTS = 3600.0
"""Seconds for which a block is used where tables of old ids are dropped: nobody may hold an id of such a table."""

REMEMBERED_MS = 2 * DAY_MS
"""For how long an idempotency key stands for its answer; some are remembered longer."""


class IdBlocks:
    """Hands out increasing message ids; a restart begins a new block."""

    def __init__(self) -> None:
        self._next = 0
        self._end = 0
        self._unsure = False
        self._until = 0.0

    def resume(self, connection: Connection) -> None:
        """Begin a new block unless the database says that ours is taken: the transaction that took it may be undone."""
        if not connection.shared:
            good = int(connection.text("setting", name="next_message_id") or 0) == self._end
        else:
            good = monotonic() < self._until
            if good and self._unsure:
                good = bool(connection.number("has_span", message_id=self._next))
                self._unsure = False
        if not good:
            self._next = self._end = 0

    def take(self, connection: Connection) -> int:
        """Return the next id, inside the caller's transaction."""
        if self._next >= self._end:
            self._next = connection.number("take_block")
            self._end = self._next + ID_BLOCK
            self._unsure = True
            self._until = monotonic() + BLOCK_LASTS
        self._next += 1
        return self._next - 1


class Accepting:
    """The transaction behind `Store.accept`."""

    def __init__(self) -> None:
        self._ids = IdBlocks()

    def __call__(self, connection: Connection, messages: Sequence[NewMessage]) -> list[int | EsitoError]:
        """Keep every message that its account may send and can pay; return its id, or the refusal."""
        self._ids.resume(connection)
        purse = CreditCheck(connection, messages)
        results: list[int | EsitoError] = []
        kept: list[tuple[int, NewMessage]] = []
        answered = _answered(connection, messages)
        for message in messages:
            if message.once is not None:
                name = message.account_id, message.once.key
                if name in answered:
                    results.append(AnsweredBefore())
                    continue
            if (refusal := purse.pay(message)) is not None:
                results.append(refusal)
                continue
            number = self._ids.take(connection)
            if message.once is not None:
                answered.add((message.account_id, message.once.key))
            kept.append((number, message))
            results.append(number)
        if kept:
            connection.run_together([*purse.steps(), *_steps(kept)])
            _forget_answers(connection, kept)
        return results


def _answered(connection: Connection, messages: Sequence[NewMessage]) -> set[tuple[int, str]]:
    """Return the accounts and idempotency keys of these messages that were answered before."""
    asked = [(message.account_id, message.once.key) for message in messages if message.once is not None]
    return {
        (account, key)
        for account, key in asked
        if connection.row("answered_once", tuple[bytes, int, str], account=account, key=key) is not None
    }


def _steps(kept: Sequence[tuple[int, NewMessage]]) -> Iterator[Step]:
    """Yield what is to be written."""
    yield "insert_messages", [_message_row(number, message) for number, message in kept]
    yield "insert_texts", [row for number, message in kept for row in _text_rows(number, message)]
    yield "insert_recipients", Json([group for number, message in kept for group in _alike(number, message)])
    yield (
        "insert_outgoing",
        [row for number, message in kept if not message.sandbox for row in _outgoing_rows(number, message)],
    )
    yield (
        "insert_callbacks",
        [row for number, message in kept if message.sandbox and message.url_dlr for row in _told(number, message)],
    )
    yield (
        "insert_idempotency",
        [
            (message.account_id, once.key, message.created_at, once.request, number, once.answer)
            for number, message in kept
            if (once := message.once) is not None
        ],
    )


def _forget_answers(connection: Connection, kept: Sequence[tuple[int, NewMessage]]) -> None:
    """Forget what was answered under the oldest idempotency keys whenever there are new ones."""
    newest = max((message.created_at for _, message in kept if message.once is not None), default=None)
    if newest is not None:
        connection.run("forget_idempotency", before=newest - REMEMBERED_MS)


def _message_row(number: int, message: NewMessage) -> tuple[SqlValue, ...]:
    return (
        number,
        message.account_id,
        message.created_at,
        message.due_at,
        None if message.sandbox else message.due_at + VALIDITY_MS,
        message.sender,
        int(message.gamme),
        message.unicode,
        message.sandbox,
        message.tag,
        message.reference,
        message.url_dlr,
        message.url_response,
        message.priority,
        len(message.recipients),
    )


def _text_rows(number: int, message: NewMessage) -> list[tuple[SqlValue, ...]]:
    stop_numbers = message.stop_numbers or ("",) * len(message.texts)
    return [(number, index, *text) for index, text in enumerate(zip(message.texts, stop_numbers, strict=True))]


def _alike(number: int, message: NewMessage) -> list[list[object]]:
    """Group neighbours that differ in their number alone; each number carries its seq in the low nine bits."""
    groups: list[list[object]] = []
    seq = 0
    for shared, members in groupby(message.recipients, key=_simulated if message.sandbox else _shared):
        numbers = []
        for member in members:
            numbers.append(member.msisdn << 9 | seq)
            seq += 1
        groups.append([number, message.account_id, *shared, message.created_at, numbers])
    return groups


def _shared(recipient: NewRecipient) -> tuple[int, ...]:
    return (*recipient[1:], _WAITING)


def _simulated(recipient: NewRecipient) -> tuple[int, ...]:
    return (*recipient[1:], int(sandbox_state(recipient.msisdn)))


_WAITING = int(MessageState.WAITING)


def _told(number: int, message: NewMessage) -> list[tuple[int, ...]]:
    """Return a callback for each sandbox recipient that has its last status: a rehearsal is told of it too."""
    states = [int(sandbox_state(recipient.msisdn)) for recipient in message.recipients]
    return [(number, seq, state, message.created_at) for seq, state in enumerate(states) if is_final(state)]


def _outgoing_rows(number: int, message: NewMessage) -> list[tuple[int, ...]]:
    """Return one row per route with the first and last recipient that have it."""
    spans: dict[int, tuple[int, int]] = {}
    if message.recipients[0].link == message.recipients[-1].link and len({one.link for one in message.recipients}) == 1:
        spans[message.recipients[0].link] = (0, len(message.recipients) - 1)
    else:
        for seq, recipient in enumerate(message.recipients):
            first, _ = spans.get(recipient.link, (seq, seq))
            spans[recipient.link] = (first, seq)
    return [
        (link, _lane(message, last - first + 1), message.due_at, number, first, 1, last, message.account_id)
        for link, (first, last) in spans.items()
    ]


def _lane(message: NewMessage, recipients: int) -> int:
    """Return where it waits: what leaves at once is compared with no clock, which another host may have ahead."""
    if message.due_at > message.created_at:
        return SCHEDULED
    return lane_of(message.account_id, priority=message.priority, gamme=int(message.gamme), recipients=recipients)
