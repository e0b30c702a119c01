"""Lists of callbacks for whoever looks after them: newest first, of one account."""

import heapq
from collections.abc import Iterable, Sequence
from typing import Any, cast

from esito.domain.callback import (
    GONE_SHOWN,
    AttemptLine,
    CallbackKind,
    CallbackLine,
    CallbackPhase,
    Destination,
    webhook_id,
)
from esito.store.tables.connection import Connection, SqlValue

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


def _of_message(connection: Connection, account_id: int, message_id: int, standing: Sequence[int]) -> Iterable[Place]:
    rows = connection.rows("callbacks_of_message", message_id, account_id)
    return [
        (at, number) for at, number, phase in cast("list[tuple[int, int, int]]", rows) if max(phase, OPEN) in standing
    ]


def _newest(connection: Connection, account_id: int, standing: Sequence[int], mark: Place, limit: int) -> list[Place]:
    """Return the newest that stand so; new ones, which nobody has looked at, are not among them."""
    lists = [
        cast("list[Place]", connection.rows("callbacks_standing", account_id, one, *mark, limit)) for one in standing
    ]
    return heapq.nlargest(limit, (place for one in lists for place in one))


def read_one(connection: Connection, account_id: int, callback_id: int) -> CallbackLine | None:
    """Return one callback with its log."""
    log = tuple(
        AttemptLine(number=number, at=at, milliseconds=ms, status=status, error=error, address=address, answer=answer)
        for number, at, ms, status, error, address, answer in cast(
            "list[tuple[int, int, int, int | None, str, str, bytes]]",
            connection.rows("attempts_of", callback_id),
        )
    )
    found = _lines(connection, account_id, [callback_id], log=log)
    return found[0] if found else None


def _lines(
    connection: Connection, account_id: int, numbers: Sequence[int], log: tuple[AttemptLine, ...] = ()
) -> list[CallbackLine]:
    which = list(numbers)
    return [_line(row, log) for row in connection.rows("callback_lines", which, account_id)]


def _line(row: Sequence[SqlValue], log: tuple[AttemptLine, ...]) -> CallbackLine:
    (number, message_id, seq, msisdn, kind, state, at, phase, attempts, next_at, done_at, reason, url, origin,
     last_status, last_error) = cast("tuple[Any, ...]", row)  # fmt: skip
    return CallbackLine(
        id=number,
        message_id=message_id,
        seq=seq,
        msisdn=msisdn,
        kind=CallbackKind(kind),
        state=state,
        at=at,
        phase=CallbackPhase(phase),
        attempts=attempts,
        next_at=next_at if phase == CallbackPhase.DUE else None,
        done_at=done_at,
        reason=reason,
        url=url,
        origin=origin,
        last_status=last_status,
        last_error=last_error,
        webhook_id=webhook_id(CallbackKind(kind), message_id, seq, state, number),
        log=log,
    )


def read_destinations(connection: Connection, account_id: int, *, after: str, limit: int) -> list[Destination]:
    """Return where the account's callbacks go, beyond an origin."""
    rows = cast("list[tuple[Any, ...]]", connection.rows("destinations_of", account_id, after, limit))
    gone: dict[int, list[str]] = {}
    for number, path in connection.rows("gone_paths_of", [int(row[0]) for row in rows]):
        gone.setdefault(number, []).append(path)
    return [
        Destination(
            id=number,
            origin=origin,
            last_success=last_success,
            failing_since=failing_since,
            disabled_at=disabled_at,
            reason=reason,
            due=due,
            dead=dead,
            gone=tuple(gone.get(number, ())[:GONE_SHOWN]),
        )
        for number, origin, last_success, failing_since, disabled_at, reason, due, dead in rows
    ]


def read_waiting(connection: Connection) -> tuple[int, int]:
    """Return how many callbacks wait to be made, and how many are dead."""
    return cast("tuple[int, int]", connection.row("callbacks_waiting_count"))
