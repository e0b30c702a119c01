"""Erasing one number: finding where it is, refusing while something is not finished, removing it piece by piece."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from esito.domain.display import mask_for_people
from esito.domain.errors import NumberInUse
from esito.domain.reply import INCOMPLETE_AFTER_MS
from esito.domain.timing import HOUR_MS
from esito.store.interface.retention_store import Erased
from esito.store.sql_connection import Connection
from esito.store.transactions.auditing import note
from esito.store.transactions.sent_to import forget_recipient
from esito.store.transactions.trail import checksum

MESSAGES_AT_ONCE = 2_000
"""Messages whose recipients are searched in one go: no index leads from a number to its messages."""

Places = list[tuple[int, int]]
"""Message and seq."""


class StoredTrailRow(NamedTuple):
    """A row of the trail, with what its checksum covers."""

    id: int
    received_at: int
    verdict: str
    smsc_id: str
    state: int | None
    error: str
    message_id: int | None
    seq: int | None
    part: int | None
    raw: bytes
    checksum: int
    flags: str


def erase_raw(connection: Connection, rows: Sequence[StoredTrailRow]) -> None:
    """Remove the octets of trail rows; one that was altered before is not made good by it."""
    without: list[tuple[int, int]] = []
    for row in rows:
        if row.raw:
            good = _checksum(row, row.raw) == row.checksum
            erased = _checksum(row, b"")
            without.append((row.id, erased if good else erased ^ 1))
    connection.run_rows("erase_raw", without)


def _checksum(row: StoredTrailRow, raw: bytes) -> int:
    return checksum(
        received_at=row.received_at,
        verdict=row.verdict,
        smsc_id=row.smsc_id,
        state=row.state,
        error=row.error,
        message_id=row.message_id,
        seq=row.seq,
        part=row.part,
        raw=raw,
    )


def unname(connection: Connection, message_id: int, seq: int, msisdn: int) -> None:
    """Remove the number of one recipient; its callbacks go along: they could only tell of nobody."""
    forget_recipient(connection, message_id, seq, msisdn)
    connection.run("remove_callbacks", message_id=message_id, seq=seq)
    connection.run("remove_tails", message_id=message_id, seq=seq)
    connection.run("remove_number", message_id=message_id, seq=seq)


# -- one number ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ErasureTargets:
    """Where a number is, beside what tables with an index say."""

    places: Places
    """Where it is a recipient."""
    repeats: list[int]
    """Replies that were repeats of others, where all accounts are meant."""
    loose: list[int]
    """Rows of the trail that belong to no message, likewise."""


def find(connection: Connection, digits: str) -> ErasureTargets:
    """Look for a number in everything. It may read every recipient and receipt, so it belongs aside."""
    with connection.snapshot():
        return ErasureTargets(
            _places(connection, int(digits), None),
            connection.numbers("repeats_of_number", digits=digits),
            connection.numbers("loose_of_number", digits=digits),
        )


def find_of_account(connection: Connection, digits: str, account_id: int) -> ErasureTargets:
    """Look for a number in what one account sent. It may read every message: a long question."""
    return ErasureTargets(_places(connection, int(digits), account_id), [], [])


def _places(connection: Connection, msisdn: int, account_id: int | None) -> Places:
    if connection.indexed_by_number:
        return _places_between(connection, 0, 2**53, msisdn, account_id)
    places: Places = []
    done = 0
    while last := connection.number("messages_beyond", after=done, limit=MESSAGES_AT_ONCE):
        places += _places_between(connection, done, last, msisdn, account_id)
        done = last
    return places


def _places_between(connection: Connection, after: int, last: int, msisdn: int, account_id: int | None) -> Places:
    return connection.rows(
        "places_of_number", tuple[int, int], after=after, last=last, msisdn=msisdn, account=account_id
    )


def refuse_unfinished(connection: Connection, digits: str, account_id: int | None, places: Places, at: int) -> None:
    """Raise NumberInUse while something of this number is not finished."""
    until = _unfinished_until(connection, places, at)
    waiting = connection.row("waiting_for_number", tuple[int, int], digits=digits, account=account_id)
    parts_since, stop_to_answer = waiting or (0, 0)
    if parts_since:
        until = max(until, parts_since + INCOMPLETE_AFTER_MS)
    if stop_to_answer:
        until = max(until, at + HOUR_MS)
    if until:
        raise NumberInUse(until)


def _unfinished_until(connection: Connection, places: Places, at: int) -> int:
    until = 0
    for message_id, seq in places:
        row = connection.row("unfinished_until", tuple[int, int], message_id=message_id, seq=seq)
        if row is not None and any(row):
            until = max(until, at + HOUR_MS, *row)  # what is late already will be over soon
    return until


def erase_beginning(
    connection: Connection,
    digits: str,
    account_id: int | None,
    found: ErasureTargets,
    *,
    forget_stop: bool,
    actor: str,
    at: int,
) -> tuple[list[int], Erased]:
    """Note the erasure and remove the STOP entry; return the replies that are to be erased, and what it comes to."""
    stops = connection.run("forget_stops", digits=digits, account=account_id) if forget_stop else 0
    responses = connection.numbers("responses_of_number", digits=digits, account=account_id)
    details = f"{len(found.places)} recipients, {len(responses)} replies, {stops} entries of STOP lists"
    note(connection, at=at, actor=actor, act="number erased", subject=mask_for_people(f"+{digits}"), details=details)
    return responses, Erased(recipients=len(found.places), replies=len(responses), stops=stops)


def erase_responses(connection: Connection, responses: list[int]) -> None:
    """Remove the number from replies, with their pieces, and what was answered to a STOP."""
    for response in responses:
        erase_repeats(connection, connection.numbers("pieces_of_response", response=response))
        connection.run("unname_response", response=response)
        connection.run("unname_stop_answer", response=response)


def erase_repeats(connection: Connection, replies: list[int]) -> None:
    """Remove the number from pieces of replies."""
    for reply in replies:
        connection.run("unname_reply", reply=reply)


def erase_loose(connection: Connection, numbers: list[int]) -> None:
    """Remove the octets of rows of the trail that belong to no message, and their addresses."""
    _erase_rows(connection, numbers)
    for number in numbers:
        connection.run("unname_unmatched", trail=number)


def _erase_rows(connection: Connection, numbers: list[int]) -> None:
    erase_raw(connection, connection.rows("trail_rows", StoredTrailRow, rows=numbers))


def erase_places(connection: Connection, places: Places, digits: str, at: int) -> None:
    """Remove a number from some of its places. Raises NumberInUse."""
    until = _unfinished_until(connection, places, at)
    if until:
        raise NumberInUse(until)
    for message_id, seq in places:
        _erase_rows(connection, connection.numbers("trail_of_recipient", message_id=message_id, seq=seq))
        unname(connection, message_id, seq, int(digits))
        text = connection.row("text_of_recipient", tuple[int], message_id=message_id, seq=seq)
        if text is not None:
            connection.run("remove_own_text", message_id=message_id, number=text[0])
