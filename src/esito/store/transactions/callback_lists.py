"""Lists of callbacks for whoever looks after them: newest first, of one account."""

import heapq
from collections.abc import Sequence
from typing import NamedTuple

from esito.domain.callback import (
    GONE_SHOWN,
    AttemptLine,
    CallbackKind,
    CallbackLine,
    CallbackPhase,
    Destination,
    webhook_id,
)
from esito.store.sql_connection import Connection

OPEN, DONE, DEAD = 3, 4, 5
"""How callbacks stand, as their index has it: whatever is not finished is open."""

STATUSES: dict[str, tuple[int, ...]] = {
    "": (OPEN, DONE, DEAD),
    "waiting": (OPEN,),
    "done": (DONE,),
    "dead": (DEAD,),
}
"""The words of the API, and what they stand for."""

NEWEST = (2**62, 2**62)

Place = tuple[int, int]
"""Instant and id of a callback, by which lists are ordered."""


class _Line(NamedTuple):
    """A callback as it is kept."""

    id: int
    message_id: int
    seq: int
    msisdn: str
    kind: int
    state: int
    at: int
    phase: int
    attempts: int
    next_at: int | None
    done_at: int | None
    reason: str
    url: str
    origin: str
    last_status: int | None
    last_error: str


class _Attempt(NamedTuple):
    """An attempt as it is kept."""

    number: int
    at: int
    milliseconds: int
    status: int | None
    error: str
    address: str
    answer: bytes


class _Destination(NamedTuple):
    """A destination as it is kept, with how many of its callbacks are open, and dead."""

    id: int
    origin: str
    last_success: int | None
    failing_since: int | None
    disabled_at: int | None
    reason: str
    due: int
    dead: int


def read_page(
    connection: Connection,
    account_id: int,
    *,
    status: str,
    message_id: int | None,
    before: Place | None,
    limit: int,
) -> list[CallbackLine]:
    """Return a page, newest first; an unknown status finds nothing."""
    if status not in STATUSES:
        return []
    mark = before or NEWEST
    if message_id is not None:
        places = _of_message(connection, account_id, message_id, STATUSES[status])
        found = sorted((place for place in places if place < mark), reverse=True)[:limit]
    else:
        found = _newest(connection, account_id, STATUSES[status], mark, limit)
    return _lines(connection, account_id, [number for _, number in found])


def _of_message(connection: Connection, account_id: int, message_id: int, standing: Sequence[int]) -> list[Place]:
    rows = connection.rows("callbacks_of_message", tuple[int, int, int], message_id=message_id, account=account_id)
    return [(at, number) for at, number, phase in rows if max(phase, OPEN) in standing]


def _newest(connection: Connection, account_id: int, standing: Sequence[int], mark: Place, limit: int) -> list[Place]:
    """Return the newest that stand so; new ones, which nobody has looked at, are not among them."""
    lists = [
        connection.rows(
            "callbacks_standing",
            tuple[int, int],
            account=account_id,
            standing=one,
            before_at=mark[0],
            before_id=mark[1],
            limit=limit,
        )
        for one in standing
    ]
    return heapq.nlargest(limit, (place for one in lists for place in one))


def read_one(connection: Connection, account_id: int, callback_id: int) -> CallbackLine | None:
    """Return one callback with its log."""
    log = tuple(
        AttemptLine(
            number=one.number,
            at=one.at,
            milliseconds=one.milliseconds,
            status=one.status,
            error=one.error,
            address=one.address,
            answer=one.answer,
        )
        for one in connection.rows("attempts_of", _Attempt, callback=callback_id)
    )
    found = _lines(connection, account_id, [callback_id], log=log)
    return found[0] if found else None


def _lines(
    connection: Connection, account_id: int, numbers: Sequence[int], log: tuple[AttemptLine, ...] = ()
) -> list[CallbackLine]:
    rows = connection.rows("callback_lines", _Line, callbacks=numbers, account=account_id)
    return [_line(row, log) for row in rows]


def _line(row: _Line, log: tuple[AttemptLine, ...]) -> CallbackLine:
    kind = CallbackKind(row.kind)
    return CallbackLine(
        id=row.id,
        message_id=row.message_id,
        seq=row.seq,
        msisdn=row.msisdn,
        kind=kind,
        state=row.state,
        at=row.at,
        phase=CallbackPhase(row.phase),
        attempts=row.attempts,
        next_at=row.next_at if row.phase == CallbackPhase.DUE else None,
        done_at=row.done_at,
        reason=row.reason,
        url=row.url,
        origin=row.origin,
        last_status=row.last_status,
        last_error=row.last_error,
        webhook_id=webhook_id(kind, row.message_id, row.seq, row.state, row.id),
        log=log,
    )


def read_destinations(connection: Connection, account_id: int, *, after: str, limit: int) -> list[Destination]:
    """Return where the account's callbacks go, beyond an origin."""
    rows = connection.rows("destinations_of", _Destination, account=account_id, after=after, limit=limit)
    gone: dict[int, list[str]] = {}
    for number, path in connection.rows("gone_paths_of", tuple[int, str], destinations=[row.id for row in rows]):
        gone.setdefault(number, []).append(path)
    return [
        Destination(
            id=row.id,
            origin=row.origin,
            last_success=row.last_success,
            failing_since=row.failing_since,
            disabled_at=row.disabled_at,
            reason=row.reason,
            due=row.due,
            dead=row.dead,
            gone=tuple(gone.get(row.id, ())[:GONE_SHOWN]),
        )
        for row in rows
    ]


def read_waiting(connection: Connection) -> tuple[int, int]:
    """Return how many callbacks wait to be made, and how many are dead."""
    return connection.row("callbacks_waiting_count", tuple[int, int]) or (0, 0)
