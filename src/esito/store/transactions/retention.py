"""Removing what is too old, a couple of thousand rows to a transaction (`RetentionStore` holds the promises).

A message goes from its last recipient to its first, each with its segments, receipts and callbacks, and what it cost is
added to `account.retired`: so the books balance after every transaction, and a killed process just goes on.
"""

from collections.abc import Callable
from itertools import takewhile
from typing import NamedTuple, TypeVar

from esito.store.interface.retention_store import Sweep, SweepPosition
from esito.store.sql_connection import Connection
from esito.store.transactions.erasing import (
    Places,
    StoredTrailRow,
    erase_places,
    erase_raw,
    unname,
)
from esito.store.transactions.sent_to import forget_recipient
from esito.store.transactions.unmatched import unname_unmatched

MOST_ROWS = 400
"""Changed rows after which a transaction ends: a few milliseconds of the writer's time."""

LOOKED_AT = 500
"""Rows that are read to find them."""

MESSAGES_AT_ONCE = 100
"""Messages that are looked at to find them, each with up to 500 recipients."""

AT_ONCE = 20
"""Recipients, replies or receipts that are treated before the rows are counted again."""

STAGE = {Sweep.TEXTS: 0, Sweep.NUMBERS: 1, Sweep.STATUSES: 2}
"""Which messages a sweep is about."""


class _Reply(NamedTuple):
    """A piece of a reply."""

    id: int
    received_at: int
    phase: int


class _Loose(NamedTuple):
    """A row of the trail, and whether no message will take it along."""

    id: int
    received_at: int
    loose: int


_Walked = TypeVar("_Walked", StoredTrailRow, _Reply, _Loose)
"""What is walked by its number."""


def sweep(connection: Connection, kind: Sweep, before: int, beyond: SweepPosition) -> SweepPosition | None:
    """Treat some things of a kind that are as old as `before`; return where to go on, None when all is done."""
    with connection.without_trace():
        if kind in STAGE or kind is Sweep.SANDBOX:
            return _sweep_messages(connection, kind, before, beyond)
        return _SWEEPS[kind](connection, kind, before)


def erase_without_trace(
    connection: Connection, act: Callable[[Connection, list[int]], None], numbers: list[int]
) -> None:
    """Erase some numbered things, and have the engine overwrite them."""
    with connection.without_trace():
        act(connection, numbers)


def erase_some_places(connection: Connection, places: Places, digits: str, at: int) -> None:
    """Erase a number from some of its places, and have the engine overwrite it. Raises NumberInUse."""
    with connection.without_trace():
        erase_places(connection, places, digits, at)


# -- messages ------------------------------------------------------------------------------


def _sweep_messages(connection: Connection, kind: Sweep, before: int, beyond: SweepPosition) -> SweepPosition | None:
    asked = "old_sandbox_messages" if kind is Sweep.SANDBOX else "old_messages"
    found = connection.rows(
        asked,
        tuple[int, int],
        stage=STAGE.get(kind, 0),
        until=before,
        after_at=beyond.at,
        after_id=beyond.id,
        limit=MESSAGES_AT_ONCE,
    )
    start = connection.changed
    place = beyond
    for due_at, message_id in found:
        if not connection.number("is_unfinished", message_id=message_id):
            while not _MESSAGE_ACTS[kind](connection, message_id):
                if connection.changed - start >= MOST_ROWS:
                    return place  # the rest of this message in the next transaction
        place = SweepPosition(due_at, message_id)
        if connection.changed - start >= MOST_ROWS:
            return place
    return place if len(found) == MESSAGES_AT_ONCE else None


def _drop_texts(connection: Connection, message_id: int) -> bool:
    connection.run("remove_texts", message_id=message_id)
    connection.run("remove_told_replies", message_id=message_id)
    connection.run("set_stage", message_id=message_id, stage=1)
    return True


def _drop_numbers(connection: Connection, message_id: int) -> bool:
    rows = connection.rows("numbered", tuple[int, int], message_id=message_id, limit=AT_ONCE)
    for seq, msisdn in rows:
        unname(connection, message_id, seq, msisdn)
    if len(rows) == AT_ONCE:
        return False
    connection.run("set_stage", message_id=message_id, stage=2)
    return True


def _drop_message(connection: Connection, message_id: int) -> bool:
    rows = connection.rows("last_recipients", tuple[int, int, int], message_id=message_id, limit=AT_ONCE)
    connection.run("retire", message_id=message_id, cost=sum(cost for _, _, cost in rows))
    for seq, msisdn, _ in rows:
        origins = connection.numbers("origins_of", message_id=message_id, seq=seq)
        forget_recipient(connection, message_id, seq, msisdn)
        for name in ("remove_callbacks", "remove_trail", "remove_segments", "remove_recipient"):
            connection.run(name, message_id=message_id, seq=seq)
        for origin in origins:
            connection.run("remove_origin", trail=origin)
    if rows and rows[-1][0] > 0:
        return False
    # In the transaction of its last recipient: at no time is there a message without any.
    connection.run("remove_texts", message_id=message_id)
    connection.run("remove_message", message_id=message_id)
    return True


_MESSAGE_ACTS: dict[Sweep, Callable[[Connection, int], bool]] = {
    Sweep.TEXTS: _drop_texts,
    Sweep.NUMBERS: _drop_numbers,
    Sweep.STATUSES: _drop_message,
    Sweep.SANDBOX: _drop_message,
}
"""Each does a bounded part of its work, and tells whether the message is done."""


# -- rows that are walked by their number, which grows with time ------------------------------


def _walk(
    connection: Connection, kind: Sweep, name: str, row: type[_Walked], before: int
) -> tuple[list[_Walked], bool]:
    """Return the next rows that are old enough, and whether there may be more; remember how far we are.

    Where we are is kept with what we do there: no row is looked at twice, and none is passed over.
    """
    setting = f"retention_{kind.value}"
    rows = connection.rows(name, row, after=connection.number("setting", name=setting), limit=LOOKED_AT)
    old = list(takewhile(lambda one: one.received_at <= before, rows))
    if old:
        connection.run("keep_setting", name=setting, value=str(old[-1].id))
    return old, len(old) == LOOKED_AT


def _sweep_receipts(connection: Connection, kind: Sweep, before: int) -> SweepPosition | None:
    rows, more = _walk(connection, kind, "trail_beyond", StoredTrailRow, before)
    erase_raw(connection, rows)
    return SweepPosition() if more else None


def _sweep_replies(connection: Connection, kind: Sweep, before: int) -> SweepPosition | None:
    act = {Sweep.REPLY_TEXTS: "blank", Sweep.REPLY_NUMBERS: "unname", Sweep.REPLIES: "remove"}[kind]
    rows, more = _walk(connection, kind, "replies_beyond", _Reply, before)
    for row in rows:
        connection.run(f"{act}_reply", reply=row.id)
    return SweepPosition() if _sweep_responses(connection, kind, act, before) or more else None


def _sweep_responses(connection: Connection, kind: Sweep, act: str, before: int) -> bool:
    setting = f"retention_{kind.value}_whole"
    kept = connection.number("setting", name=setting)
    rows = connection.rows("responses_beyond", tuple[int, int, int], after=kept, limit=LOOKED_AT)
    seen = 0
    for number, received_at, done in rows:
        if received_at > before or not done:  # a STOP is still to be answered
            break
        connection.run(f"{act}_response", response=number)
        connection.run(f"{act}_stop_answer", response=number)
        connection.run("keep_setting", name=setting, value=str(number))
        seen += 1
    return seen == LOOKED_AT


def _sweep_orphans(connection: Connection, kind: Sweep, before: int) -> SweepPosition | None:
    rows, more = _walk(connection, kind, "loose_beyond", _Loose, before)
    for row in rows:
        if not row.loose:
            continue
        if kind is Sweep.ORPHAN_NUMBERS:
            unname_unmatched(connection, row.id)
        else:
            for name in ("remove_unmatched_keys", "remove_unmatched", "remove_loose"):
                connection.run(name, trail=row.id)
    return SweepPosition() if more else None


_SWEEPS: dict[Sweep, Callable[[Connection, Sweep, int], SweepPosition | None]] = {
    Sweep.RECEIPTS: _sweep_receipts,
    Sweep.REPLY_TEXTS: _sweep_replies,
    Sweep.REPLY_NUMBERS: _sweep_replies,
    Sweep.REPLIES: _sweep_replies,
    Sweep.ORPHAN_NUMBERS: _sweep_orphans,
    Sweep.ORPHANS: _sweep_orphans,
}
