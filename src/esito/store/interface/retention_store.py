"""What we ask of a database about age: what is removed when, and what is erased on request."""

from enum import Enum
from typing import NamedTuple, Protocol


class Sweep(Enum):
    """One kind of thing that becomes too old; the value is its name."""

    SANDBOX = "sandbox"
    """Sandbox messages, with everything under them."""
    TEXTS = "texts"
    """The texts of messages, and of the callbacks that told of replies."""
    RECEIPTS = "receipts"
    """The octets of receipts: they hold the number, and the beginning of the text."""
    REPLY_TEXTS = "reply_texts"
    """What subscribers wrote, and what was answered to a STOP."""
    NUMBERS = "numbers"
    """The MSISDNs of recipients, and their callbacks with every attempt."""
    REPLY_NUMBERS = "reply_numbers"
    """Who wrote to us."""
    ORPHAN_NUMBERS = "orphan_numbers"
    """The addresses in receipts that match nothing."""
    STATUSES = "statuses"
    """Messages, with everything under them."""
    REPLIES = "replies"
    """Replies altogether."""
    ORPHANS = "orphans"
    """Receipts that match nothing."""


class SweepPosition(NamedTuple):
    """How far a sweep has come."""

    at: int = 0
    id: int = 0


BEGINNING = SweepPosition()


class Erased(NamedTuple):
    """What an erasure came to."""

    recipients: int
    replies: int
    stops: int


class RetentionStore(Protocol):
    """Removing what is too old, and what somebody wants to have removed.

    Every call of `sweep` is one transaction of a couple of thousand rows at the most, after which the books
    balance. What is not finished is left alone: a recipient without a final word, a message whose 48 hours
    are not over, a callback that is not done.
    """

    async def sweep(self, kind: Sweep, *, before: int, beyond: SweepPosition = BEGINNING) -> SweepPosition | None:
        """Treat some things of a kind that are as old as `before`; return where to go on, None when all is done.

        To do the same again changes nothing.
        """

    async def erase(self, msisdn: str, *, account_id: int | None, forget_stop: bool, actor: str, at: int) -> Erased:
        """Remove a number from messages, receipts and replies, and texts that nobody else got; keep what is counted.

        Without an account it is removed from those of all accounts and from orphans. Its place on a STOP list
        stays, unless it is to be forgotten too. Noted in the audit log.
        Raises NumberInUse, and then removes nothing, while something of that number is not finished.
        """
