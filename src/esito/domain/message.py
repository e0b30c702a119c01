"""A message, its recipients and their segments, from acceptance to submission.

One request makes one message id, whatever the number of recipients. `seq` counts
the recipients from 0 in the order of submission, which is the order of every answer;
`part` counts the segments of one recipient from 1.
"""

from dataclasses import dataclass
from enum import IntEnum
from typing import NamedTuple

MAX_RECIPIENTS = 500
"""Recipients of one message (contract 1.1, code 50)."""

MAX_TAG_LENGTH = 20


class Range(IntEnum):
    """The `gamme` of a message (contract 2.1)."""

    PREMIUM = 1
    LOW_COST = 2


class NewRecipient(NamedTuple):
    """One recipient of a message about to be accepted; a tuple, as sends of 500 make many."""

    msisdn: int
    """E.164 digits without the plus."""
    link: int
    """The store's number of its route, which is that of its link where no other serves it; 0: no link does."""
    text: int
    """Which of the message's texts."""
    segments: int
    cost: int
    """Micro-euros for all segments."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Once:
    """A request that is answered once, however often it comes: its idempotency key, and what it is answered."""

    key: str
    request: bytes
    """Digest of what is asked."""
    answer: str
    """The members of the answer as JSON, without the message id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMessage:
    """Everything a send decides, ready to be kept in one transaction."""

    account_id: int
    created_at: int
    due_at: int
    """When it may leave; `created_at` unless scheduled."""
    sender: str
    gamme: Range
    texts: tuple[str, ...]
    unicode: bool
    recipients: list[NewRecipient]
    tag: str | None = None
    reference: str | None = None
    url_dlr: str | None = None
    url_response: str | None = None
    sandbox: bool = False
    once: Once | None = None
    priority: int = 0
    """0 to 3: which messages of the account leave first."""
    stop_numbers: tuple[str, ...] = ()
    """The number named by the STOP mention that ends each of the texts; none: they end as their author wrote them."""

    @property
    def cost(self) -> int:
        """Micro-euros for all recipients."""
        return sum(recipient.cost for recipient in self.recipients)

    @property
    def segments(self) -> int:
        """Segments over all recipients (`nb_sms`)."""
        return sum(recipient.segments for recipient in self.recipients)


class SegmentRef(NamedTuple):
    """Which segment: the key that submissions, responses and receipts share."""

    message_id: int
    seq: int
    part: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """One segment whose intent to be submitted is kept; it may now leave as a submit_sm."""

    ref: SegmentRef
    msisdn: str
    """E.164 with plus."""
    sender: str
    text: str
    """The whole text; the segment is its `ref.part`-th piece."""
    unicode: bool
    segments: int
    attempts: int
    """How often it was handed to the operator before."""
    priority: int = 0
    """0 to 3, as in priority_flag."""
    stop_number: str = ""
    """The number named by the STOP mention at the end of the text; empty: we appended none."""


class Answer(IntEnum):
    """What became of one submit_sm."""

    ACCEPTED = 0
    """submit_sm_resp with ESME_ROK and an id."""
    REFUSED = 1
    """A command_status that will not change: the recipient is not delivered."""
    LATER = 2
    """Throttled or queue full, or never written: it is submitted again."""
    UNCERTAIN = 3
    """Written, but its response is lost: it may or may not be on its way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubmitAnswer:
    """The answer to one submission, as kept."""

    ref: SegmentRef
    answer: Answer
    at: int
    smsc_message_id: str = ""
    status: int = 0
    """command_status."""
    retry_at: int = 0
    """For LATER: when to submit it again."""
    attempts: int | None = None
    """Those before the one that was answered, as its `Submission` says; None: it answers whichever is the last."""
