"""What a batch of receipts changes, for the store to write."""

from dataclasses import dataclass, field
from enum import IntEnum
from typing import NamedTuple

from esito.domain.operator_habits import Learned


class TrailRow(NamedTuple):
    """One line of the trail: a receipt and its verdict. `receipt` counts from 0 within the batch."""

    receipt: int
    verdict: str
    flags: str
    done_at: int | None
    message_id: int | None
    seq: int | None
    part: int | None


class SegmentMove(NamedTuple):
    """A segment's new state."""

    message_id: int
    seq: int
    part: int
    state: int
    done_at: int | None
    error_code: str
    receipt: int


class RecipientMove(NamedTuple):
    """A recipient's new state and the moment of the change."""

    message_id: int
    seq: int
    state: int
    at: int


class Identified(NamedTuple):
    """A segment whose response was lost, and the SMSC id that a receipt brought."""

    message_id: int
    seq: int
    part: int
    smsc_message_id: str
    at: int
    link: str
    """The receipt's link."""


class CallbackRow(NamedTuple):
    """A change of the public status to be reported to the sender."""

    message_id: int
    seq: int
    state: int
    at: int


class Waits(IntEnum):
    """What an unmatched receipt waits for; the numbers are stored."""

    NOTHING = 0
    """An orphan: no response is expected to bring its id."""
    RESPONSE = 1
    """A submit_sm_resp that is still to come."""
    FORM = 2
    """Ambiguous until the operator's form of ids is known."""
    TWINS = 3
    """Several uncertain segments fit equally well: decided once one of them is no longer uncertain, or once as many
    receipts with the same word have come as there are segments."""


class Unmatched(NamedTuple):
    """A receipt that moved no segment. `receipt` counts from 0 within the batch."""

    receipt: int
    waits: Waits


@dataclass(slots=True)
class Decisions:
    """Everything a batch of receipts changes, in order."""

    trail: list[TrailRow] = field(default_factory=list)
    segments: list[SegmentMove] = field(default_factory=list)
    recipients: list[RecipientMove] = field(default_factory=list)
    callbacks: list[CallbackRow] = field(default_factory=list)
    identified: list[Identified] = field(default_factory=list)
    unmatched: list[Unmatched] = field(default_factory=list)
    """Receipts whose segment is unknown: parked ones and orphans."""
    movers: list[int] = field(default_factory=list)
    """The receipt behind each of `recipients`."""
    learned: dict[str, Learned] = field(default_factory=dict)
    """What is known of the operators' ids now, by link; links of one operator share it."""
