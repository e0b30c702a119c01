"""Giving up what has not left: recipients become KO, and their price goes back to the credit."""

from typing import Any

from esito.domain.states import MessageState
from esito.store.tables.connection import Connection
from esito.store.tables.ledger import take_off_month


def give_up_unsent(connection: Connection, message_id: int, at: int) -> None:
    """Let recipients that no operator ever took become KO, and give their price back."""
    unsent: list[Any] = connection.rows("never_submitted", message_id)
    if not unsent:
        return
    connection.run_rows("give_back", [(message_id, cost) for _, cost in unsent])
    take_off_month(connection, message_id, unsent)
    for seq, _ in unsent:
        connection.run("make_ko", message_id, at, seq)
    connection.run_rows(
        "callbacks_of_ko",
        [(message_id, seq, int(MessageState.KO), at) for seq, _ in unsent],
    )


def send_no_more(connection: Connection, message_id: int, due_at: int) -> None:
    """Keep back what has not left yet, even of recipients who got a part of their text."""
    connection.run("drop_outgoing_of", message_id)
    connection.run("drop_unsent_parts_of", message_id, due_at)
    connection.run("drop_postponed_of", message_id)
