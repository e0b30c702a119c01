"""Reads what an explanation needs: a message, its recipients, the trail of one, and what matches nobody."""

from collections.abc import Sequence
from typing import Any, cast

from esito.domain.evidence import RecipientEvidence, SegmentEvidence, SegmentPhase, TrailEvidence
from esito.domain.pricing import from_micros
from esito.domain.receipt import Verdict
from esito.domain.states import MessageState, is_final
from esito.domain.timing import VALIDITY_MS
from esito.store.records import MAX_TEXTS, Event, MessageOverview, Orphan, RecipientLine
from esito.store.tables.connection import Connection
from esito.store.tables.links import UNROUTED, Links

LOOKED_AT = 5_000
"""Rows of the trail that one look for events passes; they may all be other accounts'."""


def read_message(reader: Connection, account_id: int, message_id: int) -> MessageOverview | None:
    """Return one message; None when the account has no such message."""
    row: Any = reader.row("message_overview", message_id, account_id)
    if row is None:
        return None
    created_at, due_at, sender, sandbox, tag, reference = row
    counts: Any = reader.rows("message_counts", message_id)
    texts: Any = reader.rows("message_texts", message_id, MAX_TEXTS)
    return MessageOverview(
        message_id=message_id,
        created_at=created_at,
        due_at=due_at,
        sender=sender,
        sandbox=bool(sandbox),
        tag=tag,
        reference=reference,
        texts=tuple(text for (text,) in texts),
        segments=sum(segments for _, _, segments, _ in counts),
        cost=from_micros(sum(cost for _, _, _, cost in counts)),
        by_state={MessageState(state): count for state, count, _, _ in counts},
    )


def read_page(
    reader: Connection, account_id: int, message_id: int, *, states: Sequence[int], after: int, limit: int
) -> list[RecipientLine] | None:
    """Return the recipients beyond `after` that are in one of the states; None for another account's message."""
    if reader.row("message_overview", message_id, account_id) is None:
        return None
    wanted = [int(state) for state in states]
    rows: Any = reader.rows("recipients_page", message_id, after, wanted, limit)
    return [
        RecipientLine(
            seq=seq,
            msisdn=msisdn,
            state=MessageState(state),
            changed_at=changed_at,
            segments=segments,
            cost=from_micros(cost),
            operator=_routed(operator),
        )
        for seq, msisdn, state, changed_at, segments, cost, operator in rows
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
    row: Any = reader.row("explained_recipient", message_id, account_id, int(digits))
    if row is None:
        return None
    created_at, due_at, cancelled_at, sandbox, seq, link, operator, segments, state, changed_at = row
    parts: Any = reader.rows("explained_segments", message_id, seq)
    trail: Any = reader.rows("explained_trail", message_id, seq)
    if parts:  # it may have left by another link than was meant at first
        link, operator = parts[0][1:3]
    return RecipientEvidence(
        message_id=message_id,
        seq=seq,
        msisdn=f"+{digits}",
        created_at=created_at,
        due_at=due_at,
        cancelled_at=cancelled_at,
        sandbox=bool(sandbox),
        link=_routed(link),
        operator=_routed(operator),
        segments=segments,
        wait_ms=links.waits.get(link, VALIDITY_MS),
        state=MessageState(state),
        changed_at=changed_at,
        submitted=tuple(_segment(part, links) for part in parts),
        trail=tuple(_trail(one) for one in trail),
    )


def read_events(reader: Connection, account_id: int, *, after: int | None, limit: int) -> tuple[list[Event], int]:
    """Return events of an account beyond a row of the trail, and the row to go on from."""
    newest = reader.newest("trail")
    if after is None or after >= newest:
        return [], newest
    last = min(newest, after + LOOKED_AT)
    rows: Any = reader.rows("events", account_id, after, last, limit)
    found = [
        Event(
            message_id=message_id,
            msisdn=f"+{msisdn}",
            part=part,
            received_at=received_at,
            verdict=verdict,
            stat=stat,
            error=error,
            state=state,
            recipient_state=recipient_state,
        )
        for _, message_id, msisdn, part, received_at, verdict, stat, error, state, recipient_state in rows
    ]
    return found, int(rows[-1][0]) if len(rows) == limit else last


def read_orphans(reader: Connection, *, after: int, limit: int) -> list[Orphan]:
    """Return the receipts that match no segment, oldest first, beyond number `after`."""
    rows: Any = reader.rows("orphans", after, limit)
    return [
        Orphan(
            number=number,
            received_at=received_at,
            link=link,
            operator=operator,
            verdict=verdict,
            smsc_message_id=smsc_id,
            addresses=(source, destination),
            stat=stat,
            error=error,
            flags=flags,
            raw=raw,
        )
        for number, received_at, link, operator, verdict, smsc_id, source, destination, stat, error, flags, raw in rows
    ]


def _segment(row: Sequence[Any], links: Links) -> SegmentEvidence:
    (
        part,
        link,
        operator,
        phase,
        attempts,
        submitted_at,
        answered_at,
        status,
        smsc_id,
        state,
        done_at,
        error,
        retry_at,
        query_at,
    ) = row
    return SegmentEvidence(
        part=part,
        link=link,
        operator=operator,
        phase=SegmentPhase(phase),
        attempts=attempts,
        submitted_at=submitted_at,
        answered_at=answered_at,
        status=status,
        smsc_message_id=smsc_id or "",
        state=MessageState(state),
        done_at=done_at,
        error=error or "",
        retry_at=retry_at,
        query_at=query_at if link in links.asks and not is_final(state) else None,
    )


def _trail(row: Sequence[Any]) -> TrailEvidence:
    received_at, link, part, verdict, waited, smsc_id, state, stat, error, done_at, flags, raw = row
    return TrailEvidence(
        received_at=received_at,
        link=link,
        part=part,
        verdict=Verdict(verdict),
        waited=bool(waited),
        smsc_message_id=smsc_id,
        state=None if state is None else MessageState(state),
        stat=stat,
        error=error,
        done_at=done_at,
        flags=frozenset(flags.split()),
        raw=raw,
    )


def _routed(name: str | None) -> str:
    return "" if name is None or name == UNROUTED else name


def find(read: Connection, account_id: int, message_id: int, msisdn: str) -> tuple[int, int, int, int] | None:
    """Return what message-status shows of one recipient; None when the account has no such recipient."""
    digits = msisdn.removeprefix("+")
    if not digits.isdecimal():
        return None
    return cast("tuple[int, int, int, int] | None", read.row("recipient_of", message_id, account_id, int(digits)))
