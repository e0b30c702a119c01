"""Books that balance (design 7): every sentence names something that does not add up."""

from collections.abc import Iterator

from esito.domain.pricing import from_micros
from esito.domain.states import MessageState
from esito.store.checksum import checksum
from esito.store.tables.connection import Connection

_NAMES = {int(state): state.name for state in MessageState}


def read_books(connection: Connection) -> Iterator[str]:
    """Yield what does not add up, streaming over the tables within one snapshot."""
    with connection.snapshot():
        yield from _money(connection)
        yield from _recipients(connection)
        yield from _receipts(connection)
        yield from _callbacks(connection)


def _money(connection: Connection) -> Iterator[str]:
    for name, granted, credit, spent in connection.stream("books_credit"):
        if granted - credit != spent:
            yield (
                f"account {name}: {from_micros(granted - credit)} was taken off the credit, "
                f"but the prices of its recipients sum to {from_micros(spent)}"
            )


def _recipients(connection: Connection) -> Iterator[str]:
    for (message,) in connection.stream("books_empty_messages"):
        yield f"message {message} has no recipients"
    for message, count, expected in connection.stream("books_gaps"):
        yield f"message {message} has {count} recipients, but their numbering says {expected}"
    for message, seq in connection.stream("books_strays"):
        yield f"recipient {message}/{seq} belongs to no message of its account"
    for message, seq in connection.stream("books_unsent"):
        yield f"recipient {message}/{seq} waits, but nothing will ever submit it"
    for state, count in connection.stream("counts_by_state"):
        if state not in _NAMES:
            yield f"{count} recipients have the unknown state {state}"


def _receipts(connection: Connection) -> Iterator[str]:
    for message, seq, part, state, told in connection.stream("books_higher"):
        yield f"segment {message}/{seq}/{part} stands at {_named(state)}, but its trail leads to {_named(told)}"
    for message, seq, state, reached in connection.stream("books_unlike"):
        yield f"recipient {message}/{seq} stands at {_named(state)}, but its only segment at {_named(reached)}"
    for message, seq, state in connection.stream("books_callbacks"):
        yield f"recipient {message}/{seq} stands at {_named(state)}, but no callback was written for it"
    for row in connection.stream("books_trail"):
        number, received_at, verdict, smsc_id, state, error, message, seq, part, raw, kept, placed = row
        if not placed:
            yield f"trail row {number} ({verdict}) belongs neither to a recipient nor to the orphans"
        found = checksum(
            received_at=received_at,
            verdict=verdict,
            smsc_id=smsc_id,
            state=state,
            error=error,
            message_id=message,
            seq=seq,
            part=part,
            raw=raw,
        )
        if found != kept:
            yield f"trail row {number} does not match its checksum: it was altered after it was written"


def _callbacks(connection: Connection) -> Iterator[str]:
    for (number,) in connection.stream("books_done_unheard"):
        yield f"callback {number} counts as done, but no attempt was answered with 2xx"
    for (number,) in connection.stream("books_dead_untold"):
        yield f"callback {number} was given up without a reason"
    for (number,) in connection.stream("books_lines_stuck"):
        yield f"callback {number} waits for an earlier one of its recipient, but none is open"


def _named(state: int) -> str:
    """Return the name of a rung; a number that is none stands alone."""
    return _NAMES.get(state, str(state))
