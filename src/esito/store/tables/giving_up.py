"""Giving up what has not left: recipients become KO, and their price goes back to the credit."""

from collections.abc import Iterable, Sequence
from typing import Any

from esito.domain.states import MessageState
from esito.store.tables.connection import Connection
from esito.store.tables.spending import take_off


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
    unsent: list[Any] = connection.rows("never_submitted", messages)
    if not unsent:
        return 0, 0
    connection.run_rows("give_back", [(message_id, cost) for message_id, _, cost, *_ in unsent])
    take_off(
        connection, [(account, created_at, cost, segments) for _, _, cost, segments, account, created_at in unsent]
    )
    connection.run_rows("make_ko", [(message_id, seq, at) for message_id, seq, *_ in unsent])
    connection.run_rows(
        "callbacks_of_ko", [(message_id, seq, int(MessageState.KO), at) for message_id, seq, *_ in unsent]
    )
    return len(unsent), sum(cost for _, _, cost, *_ in unsent)


def send_no_more(connection: Connection, messages: Sequence[int]) -> None:
    """Keep back what has not left yet, even of recipients who got a part of their text."""
    connection.run("drop_outgoing_of", messages)
    connection.run("drop_unsent_parts_of", messages)
    connection.run("drop_postponed_of", messages)
