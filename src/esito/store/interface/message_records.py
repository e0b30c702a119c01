"""What the store answers about messages, recipients and receipts."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from esito.domain.states import MessageState

StatusRow = tuple[str, int, int, str]
"""One recipient as bulk-status shows it: MSISDN with plus, rung of its state, 1 when it is on
the STOP list (else 0), and the moment of the last change in Unix seconds as digits.
A bare tuple, because 500 of them are read and written out in well under a millisecond."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientDetail:
    """One recipient of one message (message-status)."""

    message_id: int
    msisdn: str
    state: int
    changed_at: int
    stopped: bool
    cost: Decimal


class PairState(NamedTuple):
    """One found pair of multi-status."""

    state: int
    changed_at: int
    stopped: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class TaggedRecipients:
    """A page of the recipients of every message with one tag."""

    total: int
    rows: list[StatusRow]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What the store holds and what waits in it."""

    messages: int = 0
    recipients: int = 0
    by_status: dict[str, int] = field(default_factory=dict)
    queued: int = 0
    """Recipients accepted and not yet submitted."""
    unanswered: int = 0
    """Segments written to an operator that lack their submit_sm_resp."""
    unmatched: int = 0
    """Receipts parked or orphaned."""
    callbacks_due: int = 0
    """Callbacks that wait to be made."""
    callbacks_dead: int = 0
    """Callbacks given up, which can be replayed."""


class Settled(NamedTuple):
    """What a batch of receipts came to."""

    moved: int
    """Recipients whose state changed."""
    verdicts: dict[str, int]
    """How many receipts had each verdict."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageOverview:
    """One message and how its recipients stand."""

    message_id: int
    created_at: int
    due_at: int
    sender: str
    sandbox: bool
    tag: str | None
    reference: str | None
    texts: tuple[str, ...]
    """The different texts of the message; at most `MAX_TEXTS` of a bulk-send."""
    segments: int
    cost: Decimal
    by_state: dict[MessageState, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientLine:
    """One recipient in a list."""

    seq: int
    msisdn: str
    state: MessageState
    changed_at: int
    segments: int
    cost: Decimal
    operator: str
    """Empty when no link serves the number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A receipt, or a conclusion of our own, about one recipient of an account."""

    message_id: int
    msisdn: str
    part: int
    received_at: int
    verdict: str
    stat: str
    error: str
    state: int | None
    recipient_state: int
    """Where the recipient stands now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Orphan:
    """A receipt whose segment is not known."""

    number: int
    """Its row in the trail; later ones are greater."""
    received_at: int
    link: str
    operator: str
    verdict: str
    smsc_message_id: str
    addresses: tuple[str, str]
    stat: str
    error: str
    flags: str
    raw: bytes


MAX_TEXTS = 10
