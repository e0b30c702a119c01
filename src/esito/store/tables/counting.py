"""How much of everything the store holds: scans, for monitors and never on a hot path."""

from esito.domain.states import MessageState, public_word
from esito.store.base import Counts
from esito.store.tables.callback_lists import read_waiting
from esito.store.tables.connection import Connection


def read_counts(connection: Connection) -> Counts:
    """Count within one snapshot."""
    with connection.snapshot():
        messages, recipients, queued, unanswered, unmatched = connection.row("counts")
        callbacks, dead = read_waiting(connection)
        by_state: list[tuple[int, int]] = connection.rows("counts_by_state")
    by_status: dict[str, int] = {}
    for state, count in by_state:
        word = public_word(MessageState(state))
        by_status[word] = by_status.get(word, 0) + count
    return Counts(
        messages=messages,
        recipients=recipients,
        by_status=by_status,
        queued=queued,
        unanswered=unanswered,
        unmatched=unmatched,
        callbacks_due=callbacks,
        callbacks_dead=dead,
    )
