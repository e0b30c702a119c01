"""The states of a recipient, and how a receipt may change them: the ladder.

Receipts arrive late, twice and in any order. The ladder makes order harmless: a receipt
moves a segment up, never down, and the state of a recipient follows from those of its
segments alone.
"""

from collections.abc import Sequence
from enum import Enum, IntEnum


class MessageState(IntEnum):
    """The message states of SMPP 3.4 (5.2.28), weakest first; the number is the rung of the ladder.

    The two lowest are ours: no receipt reports them. The rungs are stored, and compared for
    500 rows at once: hence numbers.
    """

    KO = -1
    """It never left, and never will."""
    WAITING = 0
    """Nothing is known from the operator yet."""
    ENROUTE = 1
    ACCEPTED = 2
    UNKNOWN = 3
    EXPIRED = 4
    DELETED = 5
    REJECTED = 6
    UNDELIVERABLE = 7
    DELIVERED = 8


FIRST_FINAL = MessageState.UNKNOWN
"""From this rung on a state is final (contract 1.5)."""

STAT_WORDS = {
    "ENROUTE": MessageState.ENROUTE,
    "ACCEPTD": MessageState.ACCEPTED,
    "UNKNOWN": MessageState.UNKNOWN,
    "EXPIRED": MessageState.EXPIRED,
    "DELETED": MessageState.DELETED,
    "REJECTD": MessageState.REJECTED,
    "UNDELIV": MessageState.UNDELIVERABLE,
    "DELIVRD": MessageState.DELIVERED,
    # Words outside SMPP 3.4, appendix B, that operators also send.
    "ACCEPTED": MessageState.ACCEPTED,
    "ACKED": MessageState.ACCEPTED,
    "BUFFERED": MessageState.ENROUTE,
    "BUFFRED": MessageState.ENROUTE,
    "DELIVERED": MessageState.DELIVERED,
    "FAILED": MessageState.UNDELIVERABLE,
    "NOCRED": MessageState.UNDELIVERABLE,
    "PENDING": MessageState.ENROUTE,
    "REJECTED": MessageState.REJECTED,
    "SYSERR": MessageState.UNDELIVERABLE,
    "UNDELIVERABLE": MessageState.UNDELIVERABLE,
}
"""What operators write after `stat:`, in upper case."""

STATE_VALUES = {
    1: MessageState.ENROUTE,
    2: MessageState.DELIVERED,
    3: MessageState.EXPIRED,
    4: MessageState.DELETED,
    5: MessageState.UNDELIVERABLE,
    6: MessageState.ACCEPTED,
    7: MessageState.UNKNOWN,
    8: MessageState.REJECTED,
}
"""The TLV message_state (SMPP 3.4, 5.2.28); any other value means nothing."""

PUBLIC_WORDS = {
    MessageState.KO: "KO",
    MessageState.WAITING: "Waiting",
    MessageState.ENROUTE: "Waiting",
    MessageState.ACCEPTED: "Waiting",
    MessageState.UNKNOWN: "Not delivered",
    MessageState.EXPIRED: "Not delivered",
    MessageState.DELETED: "Not delivered",
    MessageState.REJECTED: "Not delivered",
    MessageState.UNDELIVERABLE: "Not delivered",
    MessageState.DELIVERED: "Delivered",
}
"""The status word of the v1 API (contract 1.5)."""


class MultipartRule(Enum):
    """How the states of several segments make the state of their recipient."""

    ANY_FAILED = "any-failed"
    ALL = "all"
    LAST = "last"
    FIRST = "first"


def public_word(state: int) -> str:
    """Return the v1 status word of a state (contract 1.5)."""
    return PUBLIC_WORDS[MessageState(state)]


def is_final(state: int) -> bool:
    """Tell whether a state is final."""
    return state >= FIRST_FINAL


def advance(known: MessageState, reported: MessageState) -> MessageState:
    """Return the higher of the two on the ladder."""
    return max(known, reported)


def derive(segments: Sequence[int], rule: MultipartRule) -> MessageState:
    """Return the state of a recipient from those of its segments, in order.

    `any-failed`: delivered once all are, failed as soon as one is. `all`: undecided until
    every segment is final. `first` and `last`: only that segment counts.
    """
    if rule is MultipartRule.FIRST:
        return MessageState(segments[0])
    if rule is MultipartRule.LAST:
        return MessageState(segments[-1])
    failed = [state for state in segments if FIRST_FINAL <= state < MessageState.DELIVERED]
    settled = all(state >= FIRST_FINAL for state in segments)
    if failed and (settled or rule is MultipartRule.ANY_FAILED):
        return MessageState(max(failed))
    # No failure counts yet: the lowest segment tells how far the message is.
    return MessageState(min(min(segments), MessageState.ACCEPTED) if not settled else MessageState.DELIVERED)
