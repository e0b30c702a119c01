"""What we ask of a database about sends beyond their acceptance: cancelling, and answering twice alike."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredOnce:
    """What was answered under an idempotency key."""

    request: bytes
    """Digest of what was asked."""
    message_id: int
    answer: str
    """The members of the answer as JSON, without the message id."""


class SendingStore(Protocol):
    """Scheduled messages that are called back, and requests that come twice."""

    async def cancel(self, account_id: int, message_id: int, *, at: int) -> None:
        """Take back a scheduled message: its recipients become KO, their price goes back to the credit.

        Raises MessageNotFound, AlreadyCancelled, AlreadySent, TooLateToCancel; then nothing is changed.
        """

    async def answered_once(self, account_id: int, key: str) -> AnsweredOnce | None:
        """Return what was answered under this key of the account; None for a key that is new, or forgotten."""
