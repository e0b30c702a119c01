"""What the store knows of one recipient, put together to be explained; nothing is concluded here."""

from dataclasses import dataclass
from enum import IntEnum

from esito.domain.receipt import Verdict
from esito.domain.states import MessageState
from esito.domain.timing import VALIDITY_MS


class SegmentPhase(IntEnum):
    """How far one segment is on its way to the operator; the numbers are stored."""

    SUBMITTED = 1
    """Written to the operator; its answer is awaited."""
    LATER = 2
    """To be submitted again."""
    ANSWERED = 3
    """Taken by the operator, under an id."""
    REFUSED = 4
    UNCERTAIN = 5
    """Written, and the answer lost: nobody knows whether it was taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SegmentEvidence:
    """One segment that was, or was about to be, submitted."""

    part: int
    link: str
    operator: str
    phase: SegmentPhase
    attempts: int
    submitted_at: int
    answered_at: int | None
    """None: no submit_sm_resp."""
    status: int | None
    """command_status of the submit_sm_resp; None: there was none."""
    smsc_message_id: str
    state: MessageState
    done_at: int | None
    """When the operator says it was settled; None where it says nothing we believe."""
    error: str
    retry_at: int | None = None
    """When it is submitted again; None where it is not waiting for that."""
    query_at: int | None = None
    """When the operator is asked about it by query_sm; None where it is not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrailEvidence:
    """One receipt, or one conclusion of our own."""

    received_at: int
    """When the receipt came, which is before it was matched if it had to wait."""
    link: str
    part: int
    verdict: Verdict
    waited: bool
    """Whether it came before we knew whose it was, and was matched later."""
    smsc_message_id: str
    state: MessageState | None
    """None: a word we do not know."""
    stat: str
    error: str
    done_at: int | None
    flags: frozenset[str]
    raw: bytes
    """Empty for conclusions of our own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecipientEvidence:
    """Everything that bears on one recipient."""

    message_id: int
    seq: int
    msisdn: str
    created_at: int
    due_at: int
    cancelled_at: int | None
    """When its sender, or an administrator, took the message back, or what had not left of it."""
    sandbox: bool
    link: str
    """The link it leaves by; empty when none serves its number."""
    operator: str
    segments: int
    """How many it has in all; those not handed over yet have no `SegmentEvidence`."""
    wait_ms: int = VALIDITY_MS
    """How long after a submission we wait for the last word of this operator."""
    state: MessageState
    changed_at: int
    submitted: tuple[SegmentEvidence, ...]
    """In order."""
    trail: tuple[TrailEvidence, ...]
    """In the order in which we took note."""
