"""Books that balance (architecture.md#books-that-balance), and how much there is of everything.

Both scan whole tables, for checks and monitors: never on a hot path.
"""

from collections.abc import Iterator
from typing import NamedTuple

from esito.domain.pricing import from_micros
from esito.domain.states import MessageState, public_word
from esito.store.interface.message_records import Counts
from esito.store.sql_connection import Connection
from esito.store.transactions.callback_lists import read_waiting
from esito.store.transactions.trail import checksum

_NAMES = {int(state): state.name for state in MessageState}


class _Credit(NamedTuple):
    account: str
    granted: int
    credit: int
    spent: int


class _Higher(NamedTuple):
    message_id: int
    seq: int
    part: int
    state: int
    told: int


class _Unlike(NamedTuple):
    message_id: int
    seq: int
    state: int
    reached: int


class _Trail(NamedTuple):
    id: int
    received_at: int
    verdict: str
    smsc_id: str
    state: int | None
    error: str
    message_id: int | None
    seq: int | None
    part: int | None
    raw: bytes
    checksum: int
    placed: int


def read_books(connection: Connection) -> Iterator[str]:
    """Yield what does not add up, streaming over the tables within one snapshot."""
    with connection.snapshot():
        yield from _money(connection)
        yield from _recipients(connection)
        yield from _receipts(connection)
        yield from _callbacks(connection)


def _money(connection: Connection) -> Iterator[str]:
    for name, granted, credit, spent in connection.stream("books_credit", _Credit):
        if granted - credit != spent:
            yield (
                f"account {name}: {from_micros(granted - credit)} was taken off the credit, "
                f"but the prices of its recipients sum to {from_micros(spent)}"
            )


def _recipients(connection: Connection) -> Iterator[str]:
    for (message,) in connection.stream("books_empty_messages", tuple[int]):
        yield f"message {message} has no recipients"
    for message, count, expected in connection.stream("books_gaps", tuple[int, int, int]):
        yield f"message {message} has {count} recipients, but their numbering says {expected}"
    for message, seq in connection.stream("books_strays", tuple[int, int]):
        yield f"recipient {message}/{seq} belongs to no message of its account"
    for message, seq in connection.stream("books_unsent", tuple[int, int]):
        yield f"recipient {message}/{seq} waits, but nothing will ever submit it"
    for state, count in connection.stream("counts_by_state", tuple[int, int]):
        if state not in _NAMES:
            yield f"{count} recipients have the unknown state {state}"


def _receipts(connection: Connection) -> Iterator[str]:
    for message, seq, part, state, told in connection.stream("books_higher", _Higher):
        yield f"segment {message}/{seq}/{part} stands at {_named(state)}, but its trail leads to {_named(told)}"
    for message, seq, state, reached in connection.stream("books_unlike", _Unlike):
        yield f"recipient {message}/{seq} stands at {_named(state)}, but its only segment at {_named(reached)}"
    for message, seq, state in connection.stream("books_callbacks", tuple[int, int, int]):
        yield f"recipient {message}/{seq} stands at {_named(state)}, but no callback was written for it"
    for row in connection.stream("books_trail", _Trail):
        if not row.placed:
            yield f"trail row {row.id} ({row.verdict}) belongs neither to a recipient nor to the orphans"
        if row.checksum != _sum_of(row):
            yield f"trail row {row.id} does not match its checksum: it was altered after it was written"


def _sum_of(row: _Trail) -> int:
    return checksum(
        received_at=row.received_at,
        verdict=row.verdict,
        smsc_id=row.smsc_id,
        state=row.state,
        error=row.error,
        message_id=row.message_id,
        seq=row.seq,
        part=row.part,
        raw=row.raw,
    )


def _callbacks(connection: Connection) -> Iterator[str]:
    for (number,) in connection.stream("books_done_unheard", tuple[int]):
        yield f"callback {number} counts as done, but no attempt was answered with 2xx"
    for (number,) in connection.stream("books_dead_untold", tuple[int]):
        yield f"callback {number} was given up without a reason"
    for (number,) in connection.stream("books_lines_stuck", tuple[int]):
        yield f"callback {number} waits for an earlier one of its recipient, but none is open"


def _named(state: int) -> str:
    """Return the name of a rung; a number that is none stands alone."""
    return _NAMES.get(state, str(state))


class _CountsRow(NamedTuple):
    messages: int
    recipients: int
    queued: int
    unanswered: int
    unmatched: int


def read_counts(connection: Connection) -> Counts:
    """Count within one snapshot."""
    with connection.snapshot():
        [row] = connection.rows("counts", _CountsRow)
        callbacks, dead = read_waiting(connection)
        by_state = connection.rows("counts_by_state", tuple[int, int])
    by_status: dict[str, int] = {}
    for state, count in by_state:
        word = public_word(MessageState(state))
        by_status[word] = by_status.get(word, 0) + count
    return Counts(
        messages=row.messages,
        recipients=row.recipients,
        by_status=by_status,
        queued=row.queued,
        unanswered=row.unanswered,
        unmatched=row.unmatched,
        callbacks_due=callbacks,
        callbacks_dead=dead,
    )
