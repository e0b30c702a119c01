"""Giving up what has not left: recipients become KO, and their price goes back to the credit."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from esito.domain.states import MessageState
from esito.store.tables.connection import Connection
from esito.store.tables.spending import take_off


class _Unsent(NamedTuple):
    """A recipient that no operator ever took."""

    message_id: int
    seq: int
    cost: int
    segments: int
    account: int
    created_at: int


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
    unsent = connection.rows("never_submitted", _Unsent, messages=messages)
    if not unsent:
        return 0, 0
    connection.run_rows("give_back", [(one.message_id, one.cost) for one in unsent])
    take_off(connection, [(one.account, one.created_at, one.cost, one.segments) for one in unsent])
    connection.run_rows("make_ko", [(one.message_id, one.seq, at) for one in unsent])
    connection.run_rows("callbacks_of_ko", [(one.message_id, one.seq, int(MessageState.KO), at) for one in unsent])
    return len(unsent), sum(one.cost for one in unsent)


def send_no_more(connection: Connection, messages: Sequence[int]) -> None:
    """Keep back what has not left yet, even of recipients who got a part of their text."""
    connection.run("drop_outgoing_of", messages=messages)
    connection.run("drop_unsent_parts_of", messages=messages)
    connection.run("drop_postponed_of", messages=messages)
