"""What the store answers to those who look closer: overviews, pages and what could not be matched."""

from dataclasses import dataclass
from decimal import Decimal

from esito.domain.states import MessageState


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
