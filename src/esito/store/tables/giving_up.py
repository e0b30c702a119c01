"""Giving up what has not left: recipients become KO, and their price goes back to the credit."""

from collections.abc import Sequence
from typing import Any

from esito.domain.states import MessageState
from esito.store.tables.connection import Connection
from esito.store.tables.spending import take_off


def give_up_unsent(connection: Connection, messages: Sequence[int], at: int) -> None:
    """Let recipients that no operator ever took become KO, and give their price back."""
    unsent: list[Any] = connection.rows("never_submitted", messages)
    if not unsent:
        return
    connection.run_rows("give_back", [(message_id, cost) for message_id, _, cost, *_ in unsent])
    take_off(
        connection, [(account, created_at, cost, segments) for _, _, cost, segments, account, created_at in unsent]
    )
    connection.run_rows("make_ko", [(message_id, seq, at) for message_id, seq, *_ in unsent])
    connection.run_rows(
        "callbacks_of_ko", [(message_id, seq, int(MessageState.KO), at) for message_id, seq, *_ in unsent]
    )


def send_no_more(connection: Connection, messages: Sequence[int]) -> None:
    """Keep back what has not left yet, even of recipients who got a part of their text."""
    connection.run("drop_outgoing_of", messages)
    connection.run("drop_unsent_parts_of", messages)
    connection.run("drop_postponed_of", messages)
