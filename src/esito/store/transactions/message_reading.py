"""Questions about messages: statuses of recipients, pages of a tag, search, export, and what was answered once."""

from collections.abc import Sequence
from typing import NamedTuple

from esito.domain.pricing import from_micros
from esito.store.interface.message_records import (
    PairState,
    RecipientDetail,
    StatusRow,
)
from esito.store.interface.message_store import (
    ExportedRecipient,
    FoundMessage,
    IdempotentAnswer,
    MessageFilter,
    MessagePosition,
)
from esito.store.sql_connection import Connection, Read
from esito.store.transactions.explaining import StateCount


class RecipientState(NamedTuple):
    """How a recipient stands."""

    state: int
    changed_at: int
    cost: int
    """Micro-euros."""
    stopped: int
    """1: its number is on the account's STOP list."""


def _standing_of(read: Connection, account_id: int, message_id: int, msisdn: str) -> RecipientState | None:
    """Return what message-status shows of one recipient; None when the account has no such recipient."""
    digits = msisdn.removeprefix("+")
    if not digits.isdecimal():
        return None
    return read.row("recipient_of", RecipientState, message_id=message_id, account=account_id, msisdn=int(digits))


_STATUS_ROW: type[StatusRow] = tuple[str, int, int, str]


def recipients_of(account_id: int, message_id: int) -> Read[StatusRow]:
    """Ask for every recipient of a message, in order of submission."""
    return Read("recipients_of", _STATUS_ROW, message_id=message_id, account=account_id)


def read_recipient(read: Connection, account_id: int, message_id: int, msisdn: str) -> RecipientDetail | None:
    """Return one recipient; None when the account has no such recipient."""
    row = _standing_of(read, account_id, message_id, msisdn)
    if row is None:
        return None
    return RecipientDetail(
        message_id=message_id,
        msisdn=msisdn,
        state=row.state,
        changed_at=row.changed_at,
        stopped=bool(row.stopped),
        cost=from_micros(row.cost),
    )


def read_pairs(read: Connection, account_id: int, pairs: Sequence[tuple[int, str]]) -> list[PairState | None]:
    """Answer (message id, MSISDN) pairs in their order."""
    found = [_standing_of(read, account_id, *pair) for pair in pairs]
    return [None if row is None else PairState(row.state, row.changed_at, bool(row.stopped)) for row in found]


def count_to_send(read: Connection, account_id: int) -> int:
    """Count the recipients of an account that are accepted and not yet submitted."""
    return read.number("to_send", account=account_id)


def read_stopped(read: Connection, account_id: int, msisdns: Sequence[int]) -> set[int]:
    """Return those of the numbers that are on an account's STOP list."""
    return set(read.numbers("stopped_among", account=account_id, msisdns=list(msisdns)))


def read_answered_once(read: Connection, account_id: int, key: str) -> IdempotentAnswer | None:
    """Return what was answered under an idempotency key."""
    row = read.row("answered_once", tuple[bytes, int, str], account=account_id, key=key)
    if row is None:
        return None
    request, message_id, answer = row
    return IdempotentAnswer(request=request, message_id=message_id, answer=answer)


# -- pages of a tag ----------------------------------------------------------------------------


class TagPageEnd(NamedTuple):
    """The last recipient of a page of a tag."""

    created_at: int
    message_id: int
    seq: int


class Tagged(NamedTuple):
    """A recipient of one of the messages with a tag."""

    msisdn: str
    state: int
    stopped: int
    changed_at: str
    created_at: int
    message_id: int
    seq: int

    @property
    def end(self) -> TagPageEnd:
        """Where a page ends whose last it is."""
        return TagPageEnd(self.created_at, self.message_id, self.seq)


def read_tagged(
    read: Connection, account_id: int, tag: str, *, size: int, after: TagPageEnd, skipped: int, before: int
) -> tuple[int, list[Tagged]]:
    """Return how many recipients a tag has, and `size` of them: beyond `after`, where `skipped` more are passed over.

    None are read where the page begins behind all of them: `before` stand on pages before it.
    """
    total = read.number("tag_total", account=account_id, tag=tag)
    if before >= total:
        return total, []
    return total, read.rows(
        "recipients_by_tag",
        Tagged,
        account=account_id,
        tag=tag,
        limit=size,
        offset=skipped,
        from_at=after.created_at,
        from_id=after.message_id,
        from_seq=after.seq,
    )


# -- search and export -------------------------------------------------------------------------

_LAST = MessagePosition(2**53, 2**53)


class _MessageRow(NamedTuple):
    id: int
    created_at: int
    due_at: int
    sender: str
    sandbox: int
    tag: str | None
    reference: str | None


def query_for(wanted: MessageFilter) -> str:
    """Return the name of the question whose index leads straight to what is wanted."""
    if wanted.reference is not None:
        return "found_by_reference"
    return "found_by_time" if wanted.tag is None else "found_by_tag"


def find_messages(
    read: Connection, account_id: int, wanted: MessageFilter, *, before: MessagePosition | None, limit: int
) -> list[FoundMessage]:
    """Return up to `limit` messages, newest first, accepted before a spot."""
    last = before or _LAST
    rows = read.rows(
        query_for(wanted),
        _MessageRow,
        account=account_id,
        since=wanted.since,
        until=wanted.until,
        before_at=last.created_at,
        before_id=last.message_id,
        tag=wanted.tag,
        reference=wanted.reference,
        limit=limit,
    )
    return [_found_message(read, row) for row in rows]


def export_recipients(
    read: Connection, account_id: int, *, since: MessagePosition, seq: int, until: int, limit: int
) -> list[ExportedRecipient]:
    """Return up to `limit` recipients, oldest first, beyond `seq` of the message at a spot."""
    return read.rows(
        "exported",
        ExportedRecipient,
        account=account_id,
        until=until,
        from_at=since.created_at,
        from_id=since.message_id,
        from_seq=seq,
        limit=limit,
    )


def _found_message(read: Connection, row: _MessageRow) -> FoundMessage:
    counts = read.rows("message_counts", StateCount, message_id=row.id)
    return FoundMessage(
        message_id=row.id,
        created_at=row.created_at,
        due_at=row.due_at,
        sender=row.sender,
        sandbox=bool(row.sandbox),
        tag=row.tag,
        reference=row.reference,
        by_state={one.state: one.recipients for one in counts},
        segments=sum(one.segments for one in counts),
        cost=from_micros(sum(one.cost for one in counts)),
    )
