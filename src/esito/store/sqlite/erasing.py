"""Erasing one number: finding where it is, refusing while something is not finished, removing it piece by piece."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw

from esito.domain.errors import NumberInUse
from esito.domain.msisdn import mask_for_people
from esito.domain.reply import INCOMPLETE_AFTER_MS
from esito.domain.timing import HOUR_MS
from esito.store.checksum import checksum
from esito.store.retention import Erased
from esito.store.sqlite.auditing import note
from esito.store.sqlite.connection import QUERIES, ask, connect, value

MESSAGES_AT_ONCE = 2_000
"""Messages whose recipients are searched in one go: no index leads from a number to its messages."""


@contextmanager
def without_trace(connection: apsw.Connection) -> Iterator[None]:
    """Have what is removed in the block overwritten: it shall not be found in free pages."""
    connection.execute("PRAGMA secure_delete = ON").fetchall()
    try:
        yield
    finally:
        connection.execute("PRAGMA secure_delete = OFF").fetchall()


Places = list[tuple[int, int]]
"""Message and seq."""


def erase_raw(connection: apsw.Connection, rows: list[Any]) -> None:
    """Remove the octets of trail rows; one that was altered before is not made good by it."""
    for number, received_at, verdict, smsc_id, state, error, message, seq, part, raw, kept, _ in rows:
        if not raw:
            continue
        said: dict[str, Any] = {
            "received_at": received_at, "verdict": verdict, "smsc_id": smsc_id, "state": state, "error": error,
            "message_id": message, "seq": seq, "part": part,
        }  # fmt: skip
        good = checksum(**said, raw=raw) == kept
        erased = checksum(**said, raw=b"")
        connection.execute(QUERIES["erase_raw"], (number, erased if good else erased ^ 1))


def unname(connection: apsw.Connection, message_id: int, seq: int, msisdn: int) -> None:
    """Remove the number of one recipient; its callbacks go along: they could only tell of nobody."""
    connection.execute(QUERIES["remove_sent_to"], (message_id, seq, msisdn))
    connection.execute(QUERIES["remove_callbacks"], (message_id, seq))
    connection.execute(QUERIES["remove_number"], (message_id, seq))


# -- one number ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Found:
    """Where a number is, beside what tables with an index say."""

    places: Places
    """Where it is a recipient."""
    repeats: list[int]
    """Replies that were repeats of others, where all accounts are meant."""
    loose: list[int]
    """Rows of the trail that belong to no message, likewise."""


def find(path: Path, digits: str, account_id: int | None) -> Found:
    """Look for a number in everything. It reads every recipient and receipt, so it belongs into a thread of its own."""
    places: Places = []
    done = 0
    connection = connect(path, read_only=True)
    try:
        while last := value(connection, QUERIES["messages_beyond"], (done, MESSAGES_AT_ONCE)):
            places += connection.execute(QUERIES["places_of_number"], (done, last, int(digits), account_id)).fetchall()  # type: ignore[arg-type]  # two integers each
            done = last
        if account_id is not None:
            return Found(places, [], [])
        return Found(
            places, _numbers(connection, "repeats_of_number", digits), _numbers(connection, "loose_of_number", digits)
        )
    finally:
        connection.close()


def _numbers(connection: apsw.Connection, query: str, digits: str) -> list[int]:
    return [int(str(number)) for (number,) in connection.execute(QUERIES[query], (digits,))]


def work_in_the_log(path: Path) -> bool:
    """Move everything from the write-ahead log into the database and empty it; return whether nobody prevented it.

    Older pages, with what was removed from them, stand in the log until then.
    """
    connection = connect(path)
    try:
        prevented = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").get
    finally:
        connection.close()
    return not (prevented[0] if isinstance(prevented, tuple) else prevented)


def refuse_unfinished(
    connection: apsw.Connection, digits: str, account_id: int | None, places: Places, at: int
) -> None:
    """Raise NumberInUse while something of this number is not finished."""
    until = _unfinished_until(connection, places, at)
    row: Any = connection.execute(QUERIES["waiting_for_number"], (digits, account_id)).fetchone()
    parts_since, stop_to_answer = row
    if parts_since:
        until = max(until, parts_since + INCOMPLETE_AFTER_MS)
    if stop_to_answer:
        until = max(until, at + HOUR_MS)
    if until:
        raise NumberInUse(until)


def _unfinished_until(connection: apsw.Connection, places: Places, at: int) -> int:
    until = 0
    for place in places:
        row: Any = connection.execute(QUERIES["unfinished_until"], place).fetchone() or (0, 0)
        if any(row):
            until = max(until, at + HOUR_MS, *row)  # what is late already will be over soon
    return until


def erase_beginning(
    connection: apsw.Connection,
    digits: str,
    account_id: int | None,
    found: Found,
    *,
    forget_stop: bool,
    actor: str,
    at: int,
) -> Erased:
    """Note the erasure and remove what is no recipient: replies, receipts that match nothing, the STOP entry."""
    stops = 0
    if forget_stop:
        connection.execute(QUERIES["forget_stops"], (digits, account_id))
        stops = connection.changes()
    responses: list[Any] = connection.execute(QUERIES["responses_of_number"], (digits, account_id)).fetchall()
    for (response,) in responses:
        pieces: list[Any] = connection.execute(QUERIES["pieces_of_response"], (response,)).fetchall()
        for (piece,) in pieces:
            connection.execute(QUERIES["unname_reply"], (piece,))
        connection.execute(QUERIES["unname_response"], (response,))
        connection.execute(QUERIES["unname_stop_answer"], (response,))
    _erase_unowned(connection, found)
    details = f"{len(found.places)} recipients, {len(responses)} replies, {stops} entries of STOP lists"
    note(connection, at=at, actor=actor, act="number erased", subject=mask_for_people(f"+{digits}"), details=details)
    return Erased(recipients=len(found.places), replies=len(responses), stops=stops)


def _erase_unowned(connection: apsw.Connection, found: Found) -> None:
    for reply in found.repeats:
        connection.execute(QUERIES["unname_reply"], (reply,))
    _erase_rows(connection, found.loose)
    for number in found.loose:
        connection.execute(QUERIES["unname_unmatched"], (number,))


def _erase_rows(connection: apsw.Connection, numbers: list[int]) -> None:
    erase_raw(connection, connection.execute(QUERIES["trail_rows"], (json.dumps(numbers),)).fetchall())


def erase_places(connection: apsw.Connection, places: Places, digits: str, at: int) -> None:
    """Remove a number from some of its places. Raises NumberInUse."""
    until = _unfinished_until(connection, places, at)
    if until:
        raise NumberInUse(until)
    for message_id, seq in places:
        _erase_rows(connection, ask(connection, "trail_of_recipient", (message_id, seq)))
        unname(connection, message_id, seq, int(digits))
        text = connection.execute(QUERIES["text_of_recipient"], (message_id, seq)).get
        if text is not None:
            connection.execute(QUERIES["remove_own_text"], (message_id, int(str(text))))
