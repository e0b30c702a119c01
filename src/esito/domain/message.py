"""A message, its recipients and their segments, from acceptance to submission.

One request makes one message id, whatever the number of recipients. `seq` counts
recipients from 0 in the order of the request, which is the order of every answer;
`part` counts the segments of one recipient from 1.
"""

from dataclasses import dataclass, fields
from enum import IntEnum
from typing import Any, NamedTuple

from esito.domain.states import MessageState

MAX_RECIPIENTS = 500
"""Recipients of one message (contract 1.1, code 50)."""

MAX_TAG_LENGTH = 20


class Range(IntEnum):
    """The `gamme` of a message (contract 2.1)."""

    PREMIUM = 1
    LOW_COST = 2


class NewRecipient(NamedTuple):
    """One recipient of a message about to be accepted; a tuple, as there may be 500."""

    msisdn: int
    """E.164 digits without the plus."""
    link: int
    """The store's number of its route; 0: no link serves it."""
    text: int
    """Index of its text among the message's."""
    segments: int
    cost: int
    """Micro-euros for all segments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Once:
    """A request that is executed once, however often it comes: its idempotency key, and its answer."""

    key: str
    request: bytes
    """Digest of the request."""
    answer: str
    """The members of the answer as JSON, without the message id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageOptions:
    """What a send says besides texts and numbers, and its message keeps unchanged."""

    sender: str = ""
    """Empty: the operator's short code."""
    gamme: Range = Range.PREMIUM
    priority: int = 0
    """0 to 3: which messages of the account leave first."""
    tag: str | None = None
    reference: str | None = None
    url_dlr: str | None = None
    url_response: str | None = None
    unicode: bool = False
    sandbox: bool = False


def fields_of(one: MessageOptions, kind: type[MessageOptions]) -> dict[str, Any]:
    """Return the options that `kind` has as keyword arguments, for a class that extends it."""
    return {field.name: getattr(one, field.name) for field in fields(kind)}


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMessage(MessageOptions):
    """Everything a send decides, ready to be kept in one transaction."""

    account_id: int
    created_at: int
    due_at: int
    """When it may leave; `created_at` unless scheduled."""
    texts: tuple[str, ...]
    recipients: list[NewRecipient]
    once: Once | None = None
    stop_numbers: tuple[str, ...] = ()
    """The number in the STOP mention at the end of each text; none: the texts have no mention."""

    @property
    def cost(self) -> int:
        """Micro-euros for all recipients."""
        return sum(recipient.cost for recipient in self.recipients)

    @property
    def segments(self) -> int:
        """Segments over all recipients (`nb_sms`)."""
        return sum(recipient.segments for recipient in self.recipients)


class SegmentRef(NamedTuple):
    """The key of a segment, shared by submissions, responses and receipts."""

    message_id: int
    seq: int
    part: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """One segment whose claim is committed: it may now leave as a submit_sm."""

    ref: SegmentRef
    msisdn: str
    """E.164 with plus."""
    sender: str
    text: str
    """The whole text; the segment is its `ref.part`-th piece."""
    unicode: bool
    segments: int
    attempts: int
    """How often it was submitted before."""
    priority: int = 0
    """0 to 3, as in priority_flag."""
    stop_number: str = ""
    """The number in the STOP mention at the end of the text; empty: it has no mention."""


class SubmitOutcome(IntEnum):
    """What became of one submit_sm."""

    ACCEPTED = 0
    """submit_sm_resp with ESME_ROK and an id."""
    REFUSED = 1
    """A command_status that is final: the recipient is not delivered."""
    LATER = 2
    """Throttled, queue full, or never written: it is submitted again."""
    UNCERTAIN = 3
    """Written, but its response is lost: the operator may or may not have it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitAnswer:
    """The answer to one submission, as kept."""

    ref: SegmentRef
    answer: SubmitOutcome
    at: int
    smsc_message_id: str = ""
    status: int = 0
    """command_status."""
    retry_at: int = 0
    """For LATER: when it is submitted again."""
    attempts: int | None = None
    """`Submission.attempts` of the try that was answered; None: the last one."""


# -- the sandbox: nothing is sent, and the last four digits of the number choose the status ------------

_SANDBOX_STATES = {
    2: MessageState.UNDELIVERABLE,
    3: MessageState.EXPIRED,
    4: MessageState.REJECTED,
    5: MessageState.WAITING,
}
"""The endings of the operator simulator that lead to one status; every other number counts as delivered."""


def sandbox_state(msisdn: int) -> MessageState:
    """Return the state of a sandbox recipient."""
    return _SANDBOX_STATES.get(msisdn % 10_000, MessageState.DELIVERED)
