"""Giving up what has not left: recipients become KO, and their price goes back to the credit."""

from typing import Any

import apsw

from esito.domain.states import MessageState
from esito.store.sqlite.connection import QUERIES, run_rows
from esito.store.sqlite.ledger import take_off_month


def give_up_unsent(connection: apsw.Connection, message_id: int, at: int) -> None:
    """Let recipients that no operator ever took become KO, and give their price back."""
    unsent: list[Any] = connection.execute(QUERIES["never_submitted"], (message_id,)).fetchall()
    if not unsent:
        return
    run_rows(connection, "give_back", [(message_id, cost) for _, cost in unsent])
    take_off_month(connection, message_id, unsent)
    for seq, _ in unsent:
        connection.execute(QUERIES["make_ko"], (message_id, at, seq))
    run_rows(
        connection,
        "callbacks_of_ko",
        [(message_id, seq, int(MessageState.KO), at) for seq, _ in unsent],
    )


def send_no_more(connection: apsw.Connection, message_id: int, due_at: int) -> None:
    """Keep back what has not left yet, even of recipients who got a part of their text."""
    connection.execute(QUERIES["drop_outgoing_of"], (message_id, due_at))
    connection.execute(QUERIES["drop_unsent_parts_of"], (message_id, due_at))
    connection.execute(QUERIES["drop_postponed_of"], (message_id,))
