"""What we ask of a database about messages once accepted: cancelling, idempotency keys, search and export."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class IdempotentAnswer:
    """What was answered under an idempotency key."""

    request: bytes
    """Digest of what was asked."""
    message_id: int
    answer: str
    """The members of the answer as JSON, without the message id."""


class TakenBack(NamedTuple):
    """What an administrator took back before it was claimed."""

    messages: int = 0
    recipients: int = 0
    """That nothing was sent to, and whose price went back to the credit."""
    of: int = 0
    """Recipients of these messages."""
    cost: Decimal = Decimal(0)

    def more(self, other: "TakenBack") -> "TakenBack":
        """Return the sum of two."""
        return TakenBack(
            self.messages + other.messages,
            self.recipients + other.recipients,
            self.of + other.of,
            self.cost + other.cost,
        )


class SendingStore(Protocol):
    """Scheduled messages that are called back, and requests that come twice."""

    async def cancel(self, account_id: int, message_id: int, *, at: int) -> None:
        """Take back a scheduled message: its recipients become KO, their price goes back to the credit.

        Raises MessageNotFound, AlreadyCancelled, AlreadySent, TooLateToCancel; then nothing is changed.
        """

    async def take_back(self, message_id: int, *, actor: str, at: int) -> TakenBack:
        """Take back what is not claimed yet of any message, whenever it is due: those recipients become KO.

        Their price goes back to the credit. What was claimed leaves, and of a text that has left in part no more does.
        Raises MessageNotFound, AlreadyCancelled, and AlreadySent when nothing of it waits; then nothing is changed.
        """

    async def take_back_queued(self, account: str, *, at: int) -> TakenBack:
        """Take back some of what an account, and those below it, have queued, as `take_back` does.

        One call is one transaction of some hundred recipients; messages are 0 once nothing waits. It writes nothing
        into the audit log: who asks until nothing waits does, once. Raises NoSuchAccount.
        """

    async def answered_once(self, account_id: int, key: str) -> IdempotentAnswer | None:
        """Return what was answered under this key of the account; None for a key that is new, or forgotten."""


class MessagePosition(NamedTuple):
    """Between two messages, in the order of their acceptance."""

    created_at: int
    message_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageFilter:
    """Which messages are looked for; every condition that is set must hold."""

    tag: str | None = None
    reference: str | None = None
    since: int = 0
    until: int = 2**53
    """Accepted before this instant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundMessage:
    """One message, and how its recipients stand."""

    message_id: int
    created_at: int
    due_at: int
    sender: str
    sandbox: bool
    tag: str | None
    reference: str | None
    by_state: dict[int, int]
    segments: int
    cost: Decimal


class ExportedRecipient(NamedTuple):
    """One recipient with its message."""

    message_id: int
    created_at: int
    due_at: int
    sender: str
    sandbox: int
    tag: str | None
    reference: str | None
    seq: int
    msisdn: int
    """0 when the number was removed."""
    state: int
    changed_at: int
    segments: int
    cost: int
    """Micro-euros."""


class SearchStore(Protocol):
    """Reading one account's messages; each call reads one page by an index."""

    async def find(
        self, account_id: int, wanted: MessageFilter, *, before: MessagePosition | None, limit: int
    ) -> list[FoundMessage]:
        """Return up to `limit` messages, newest first, accepted before a spot."""

    async def export(
        self, account_id: int, *, since: MessagePosition, seq: int, until: int, limit: int
    ) -> Sequence[ExportedRecipient]:
        """Return up to `limit` recipients, oldest first, beyond `seq` of the message at a spot."""
