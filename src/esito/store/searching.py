"""What we ask of a database about an account's messages: finding them, and taking them along."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple, Protocol


class Spot(NamedTuple):
    """Between two messages, in the order of their acceptance."""

    created_at: int
    message_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
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

    async def find(self, account_id: int, wanted: Wanted, *, before: Spot | None, limit: int) -> list[FoundMessage]:
        """Return up to `limit` messages, newest first, accepted before a spot."""

    async def export(
        self, account_id: int, *, since: Spot, seq: int, until: int, limit: int
    ) -> Sequence[ExportedRecipient]:
        """Return up to `limit` recipients, oldest first, beyond `seq` of the message at a spot."""
