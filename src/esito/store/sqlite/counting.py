"""How much of everything the store holds: scans, for monitors and never on a hot path."""

from pathlib import Path
from typing import cast

from esito.domain.states import MessageState, public_word
from esito.store.base import Counts
from esito.store.sqlite.callback_lists import read_waiting
from esito.store.sqlite.connection import QUERIES, connect


def read_counts(path: Path) -> Counts:
    """Count within one snapshot, on a connection of its own; may be called from any thread."""
    connection = connect(path, read_only=True)
    try:
        connection.execute("BEGIN")
        row = connection.execute(QUERIES["counts"]).fetchone()
        callbacks, dead = read_waiting(connection)
        by_state = cast("list[tuple[int, int]]", connection.execute(QUERIES["counts_by_state"]).fetchall())
    finally:
        connection.close()
    messages, recipients, queued, unanswered, unmatched = cast("tuple[int, ...]", row)
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
