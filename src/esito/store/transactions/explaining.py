"""Reads what an explanation needs: a message, its recipients, the trail of one, and what matches nobody."""

from collections.abc import Sequence
from typing import NamedTuple

from esito.domain.evidence import RecipientEvidence, SegmentEvidence, SegmentPhase, TrailEvidence
from esito.domain.pricing import from_micros
from esito.domain.receipt import Verdict
from esito.domain.states import MessageState, is_final
from esito.domain.timing import VALIDITY_MS
from esito.store.interface.message_records import MAX_TEXTS, Event, MessageOverview, Orphan, RecipientLine
from esito.store.sql_connection import Connection
from esito.store.transactions.known_links import UNROUTED, Links

LOOKED_AT = 5_000
"""Rows of the trail that one look for events passes; they may all be other accounts'."""


class _Message(NamedTuple):
    created_at: int
    due_at: int
    sender: str
    sandbox: int
    tag: str | None
    reference: str | None


class StateCount(NamedTuple):
    """How many recipients of a message stand at one state, and what they came to."""

    state: int
    recipients: int
    segments: int
    cost: int
    """Micro-euros."""


class _Line(NamedTuple):
    seq: int
    msisdn: str
    state: int
    changed_at: int
    segments: int
    cost: int
    operator: str | None


class _Recipient(NamedTuple):
    created_at: int
    due_at: int
    cancelled_at: int | None
    sandbox: int
    seq: int
    link: str | None
    operator: str | None
    segments: int
    state: int
    changed_at: int


class _Segment(NamedTuple):
    part: int
    link: str
    operator: str
    phase: int
    attempts: int
    submitted_at: int
    answered_at: int | None
    status: int | None
    smsc_id: str | None
    state: int
    done_at: int | None
    error: str | None
    retry_at: int | None
    query_at: int | None


class _Trail(NamedTuple):
    received_at: int
    link: str
    part: int
    verdict: str
    waited: int
    smsc_id: str
    state: int | None
    stat: str
    error: str
    done_at: int | None
    flags: str
    raw: bytes


class _Event(NamedTuple):
    id: int
    message_id: int
    msisdn: int
    part: int
    received_at: int
    verdict: str
    stat: str
    error: str
    state: int | None
    recipient_state: int


class _Orphan(NamedTuple):
    trail: int
    received_at: int
    link: str
    operator: str
    verdict: str
    smsc_id: str
    source_addr: str
    destination_addr: str
    stat: str
    error: str
    flags: str
    raw: bytes


def read_message(reader: Connection, account_id: int, message_id: int) -> MessageOverview | None:
    """Return one message; None when the account has no such message."""
    row = reader.row("message_overview", _Message, message_id=message_id, account=account_id)
    if row is None:
        return None
    counts = reader.rows("message_counts", StateCount, message_id=message_id)
    texts = reader.rows("message_texts", tuple[str], message_id=message_id, limit=MAX_TEXTS)
    return MessageOverview(
        message_id=message_id,
        created_at=row.created_at,
        due_at=row.due_at,
        sender=row.sender,
        sandbox=bool(row.sandbox),
        tag=row.tag,
        reference=row.reference,
        texts=tuple(text for (text,) in texts),
        segments=sum(one.segments for one in counts),
        cost=from_micros(sum(one.cost for one in counts)),
        by_state={MessageState(one.state): one.recipients for one in counts},
    )


def read_page(
    reader: Connection, account_id: int, message_id: int, *, states: Sequence[int], after: int, limit: int
) -> list[RecipientLine] | None:
    """Return the recipients beyond `after` that are in one of the states; None for another account's message."""
    if reader.row("message_overview", _Message, message_id=message_id, account=account_id) is None:
        return None
    wanted = [int(state) for state in states]
    rows = reader.rows("recipients_page", _Line, message_id=message_id, after=after, states=wanted, limit=limit)
    return [
        RecipientLine(
            seq=row.seq,
            msisdn=row.msisdn,
            state=MessageState(row.state),
            changed_at=row.changed_at,
            segments=row.segments,
            cost=from_micros(row.cost),
            operator=_routed(row.operator),
        )
        for row in rows
    ]


def read_evidence(
    reader: Connection, account_id: int, message_id: int, msisdn: str, *, links: Links
) -> RecipientEvidence | None:
    """Return everything that bears on one recipient; None when the account has no such message or recipient.

    `links` tells for how long the last word of each operator is waited for, and which are asked by query_sm.
    """
    digits = msisdn.removeprefix("+")
    if not (digits.isascii() and digits.isdecimal()):
        return None
    row = reader.row("explained_recipient", _Recipient, message_id=message_id, account=account_id, msisdn=int(digits))
    if row is None:
        return None
    parts = reader.rows("explained_segments", _Segment, message_id=message_id, seq=row.seq)
    trail = reader.rows("explained_trail", _Trail, message_id=message_id, seq=row.seq)
    left_by = parts[0] if parts else row  # it may have left by another link than was meant at first
    return RecipientEvidence(
        message_id=message_id,
        seq=row.seq,
        msisdn=f"+{digits}",
        created_at=row.created_at,
        due_at=row.due_at,
        cancelled_at=row.cancelled_at,
        sandbox=bool(row.sandbox),
        link=_routed(left_by.link),
        operator=_routed(left_by.operator),
        segments=row.segments,
        wait_ms=links.waits.get(left_by.link or "", VALIDITY_MS),
        state=MessageState(row.state),
        changed_at=row.changed_at,
        submitted=tuple(_segment(part, links) for part in parts),
        trail=tuple(_trail(one) for one in trail),
    )


def read_events(reader: Connection, account_id: int, *, after: int | None, limit: int) -> tuple[list[Event], int]:
    """Return events of an account beyond a row of the trail, and the row to go on from."""
    newest = reader.newest("trail")
    if after is None or after >= newest:
        return [], newest
    last = min(newest, after + LOOKED_AT)
    rows = reader.rows("events", _Event, account=account_id, after=after, last=last, limit=limit)
    found = [
        Event(
            message_id=row.message_id,
            msisdn=f"+{row.msisdn}",
            part=row.part,
            received_at=row.received_at,
            verdict=row.verdict,
            stat=row.stat,
            error=row.error,
            state=row.state,
            recipient_state=row.recipient_state,
        )
        for row in rows
    ]
    return found, rows[-1].id if len(rows) == limit else last


def read_orphans(reader: Connection, *, after: int, limit: int) -> list[Orphan]:
    """Return the receipts that match no segment, oldest first, beyond number `after`."""
    return [
        Orphan(
            number=row.trail,
            received_at=row.received_at,
            link=row.link,
            operator=row.operator,
            verdict=row.verdict,
            smsc_message_id=row.smsc_id,
            addresses=(row.source_addr, row.destination_addr),
            stat=row.stat,
            error=row.error,
            flags=row.flags,
            raw=row.raw,
        )
        for row in reader.rows("orphans", _Orphan, after=after, limit=limit)
    ]


def _segment(row: _Segment, links: Links) -> SegmentEvidence:
    return SegmentEvidence(
        part=row.part,
        link=row.link,
        operator=row.operator,
        phase=SegmentPhase(row.phase),
        attempts=row.attempts,
        submitted_at=row.submitted_at,
        answered_at=row.answered_at,
        status=row.status,
        smsc_message_id=row.smsc_id or "",
        state=MessageState(row.state),
        done_at=row.done_at,
        error=row.error or "",
        retry_at=row.retry_at,
        query_at=row.query_at if row.link in links.asks and not is_final(row.state) else None,
    )


def _trail(row: _Trail) -> TrailEvidence:
    return TrailEvidence(
        received_at=row.received_at,
        link=row.link,
        part=row.part,
        verdict=Verdict(row.verdict),
        waited=bool(row.waited),
        smsc_message_id=row.smsc_id,
        state=None if row.state is None else MessageState(row.state),
        stat=row.stat,
        error=row.error,
        done_at=row.done_at,
        flags=frozenset(row.flags.split()),
        raw=row.raw,
    )


def _routed(name: str | None) -> str:
    return "" if name is None or name == UNROUTED else name
