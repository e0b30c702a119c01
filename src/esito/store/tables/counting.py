"""How much of everything the store holds: scans, for monitors and never on a hot path."""

from typing import NamedTuple

from esito.domain.states import MessageState, public_word
from esito.store.base import Counts
from esito.store.tables.callback_lists import read_waiting
from esito.store.tables.connection import Connection


class _Row(NamedTuple):
    messages: int
    recipients: int
    queued: int
    unanswered: int
    unmatched: int


def read_counts(connection: Connection) -> Counts:
    """Count within one snapshot."""
    with connection.snapshot():
        [row] = connection.rows("counts", _Row)
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
