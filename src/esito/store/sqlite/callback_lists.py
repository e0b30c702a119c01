"""Lists of callbacks for whoever looks after them: newest first, of one account."""

import heapq
from collections.abc import Iterable, Sequence
from typing import Any, cast

import apsw
import msgspec

from esito.domain.callback import AttemptLine, CallbackLine, Destination, Kind, Phase, webhook_id
from esito.store.sqlite.connection import QUERIES, SqlValue

OPEN = frozenset({Phase.NEW, Phase.DUE, Phase.LEASED, Phase.BEHIND})
STATUSES: dict[str, frozenset[Phase]] = {
    "": frozenset(Phase),
    "waiting": OPEN,
    "done": frozenset({Phase.DONE}),
    "dead": frozenset({Phase.DEAD}),
}
"""The words of the API, and the phases they stand for."""

NEWEST = (2**62, 2**62)

Place = tuple[int, int]
"""Instant and id of a callback, by which lists are ordered."""


def read_page(
    connection: apsw.Connection,
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
        found = _newest(connection, account_id, f"callbacks_{status or 'all'}", mark, limit)
    return _lines(connection, account_id, [number for _, number in found])


def _of_message(
    connection: apsw.Connection, account_id: int, message_id: int, phases: frozenset[Phase]
) -> Iterable[Place]:
    rows = connection.execute(QUERIES["callbacks_of_message"], (message_id, account_id)).fetchall()
    return [(at, number) for at, number, phase in cast("list[tuple[int, int, int]]", rows) if phase in phases]


def _newest(connection: apsw.Connection, account_id: int, name: str, mark: Place, limit: int) -> list[Place]:
    """Return the newest of all destinations of the account."""
    rows = connection.execute(QUERIES["destination_ids"], (account_id,)).fetchall()
    lists = [
        cast("list[Place]", connection.execute(QUERIES[name], (destination, *mark, limit)).fetchall())
        for (destination,) in rows
    ]
    return heapq.nlargest(limit, (place for one in lists for place in one))


def read_one(connection: apsw.Connection, account_id: int, callback_id: int) -> CallbackLine | None:
    """Return one callback with its log."""
    log = tuple(
        AttemptLine(number=number, at=at, milliseconds=ms, status=status, error=error, address=address, answer=answer)
        for number, at, ms, status, error, address, answer in cast(
            "list[tuple[int, int, int, int | None, str, str, bytes]]",
            connection.execute(QUERIES["attempts_of"], (callback_id,)).fetchall(),
        )
    )
    found = _lines(connection, account_id, [callback_id], log=log)
    return found[0] if found else None


def _lines(
    connection: apsw.Connection, account_id: int, numbers: Sequence[int], log: tuple[AttemptLine, ...] = ()
) -> list[CallbackLine]:
    which = msgspec.json.encode(numbers).decode()
    return [_line(row, log) for row in connection.execute(QUERIES["callback_lines"], (which, account_id))]


def _line(row: Sequence[SqlValue], log: tuple[AttemptLine, ...]) -> CallbackLine:
    (number, message_id, seq, msisdn, kind, state, at, phase, attempts, next_at, done_at, reason, url, origin,
     last_status, last_error) = cast("tuple[Any, ...]", row)  # fmt: skip
    return CallbackLine(
        id=number,
        message_id=message_id,
        seq=seq,
        msisdn=msisdn,
        kind=Kind(kind),
        state=state,
        at=at,
        phase=Phase(phase),
        attempts=attempts,
        next_at=next_at if phase == Phase.DUE else None,
        done_at=done_at,
        reason=reason,
        url=url,
        origin=origin,
        last_status=last_status,
        last_error=last_error,
        webhook_id=webhook_id(Kind(kind), message_id, seq, state, number),
        log=log,
    )


def read_destinations(connection: apsw.Connection, account_id: int) -> list[Destination]:
    """Return where the account's callbacks go."""
    rows = cast("list[tuple[Any, ...]]", connection.execute(QUERIES["destinations_of"], (account_id,)).fetchall())
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
        )
        for number, origin, last_success, failing_since, disabled_at, reason, due, dead in rows
    ]


def read_waiting(connection: apsw.Connection) -> tuple[int, int]:
    """Return how many callbacks wait to be made, and how many are dead."""
    return cast("tuple[int, int]", connection.execute(QUERIES["callbacks_waiting_count"]).fetchone())
