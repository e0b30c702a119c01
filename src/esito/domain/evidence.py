"""What the store knows about one recipient, as input for `explanation`."""

from dataclasses import dataclass
from enum import IntEnum

from esito.domain.receipt import Verdict
from esito.domain.states import MessageState
from esito.domain.timing import VALIDITY_MS


class SegmentPhase(IntEnum):
    """How far one segment is; the numbers are stored."""

    SUBMITTED = 1
    """Written to the operator; its response is awaited."""
    LATER = 2
    """To be submitted again."""
    ANSWERED = 3
    """Accepted by the operator, with an id."""
    REFUSED = 4
    UNCERTAIN = 5
    """Written, but the response is lost: it is unknown whether the operator accepted it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentEvidence:
    """One segment that was submitted, or was about to be."""

    part: int
    link: str
    operator: str
    phase: SegmentPhase
    attempts: int
    submitted_at: int
    answered_at: int | None
    """None: no submit_sm_resp."""
    status: int | None
    """command_status of the submit_sm_resp; None if there was none."""
    smsc_message_id: str
    state: MessageState
    done_at: int | None
    """The operator's date of the final state; None if it gives none that we believe."""
    error: str
    retry_at: int | None = None
    """When it is submitted again; None if it is not."""
    query_at: int | None = None
    """When a query_sm is sent about it; None if none is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailEvidence:
    """One receipt, answer to query_sm, or conclusion of our own."""

    received_at: int
    """When the receipt came, even if it was matched later."""
    link: str
    part: int
    verdict: Verdict
    waited: bool
    """Whether it came before its segment was known, and was matched later."""
    smsc_message_id: str
    state: MessageState | None
    """None: an unknown word."""
    stat: str
    error: str
    done_at: int | None
    flags: frozenset[str]
    raw: bytes
    """Empty for conclusions of our own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientEvidence:
    """Everything that is known about one recipient."""

    message_id: int
    seq: int
    msisdn: str
    created_at: int
    due_at: int
    cancelled_at: int | None
    """When the message, or what had not left of it, was cancelled by its sender or an administrator."""
    sandbox: bool
    link: str
    """Its link; empty if none serves its number."""
    operator: str
    segments: int
    """How many it has in all; those not submitted yet have no `SegmentEvidence`."""
    wait_ms: int = VALIDITY_MS
    """How long after a submission we wait for this operator's last word."""
    state: MessageState
    changed_at: int
    submitted: tuple[SegmentEvidence, ...]
    """In order."""
    trail: tuple[TrailEvidence, ...]
    """In the order in which we noted them."""
