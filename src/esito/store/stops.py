"""What we ask of a database about the STOP list: the numbers that an account must not send to."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """One number on a STOP list."""

    id: int
    msisdn: str
    """E.164 with plus."""
    created_at: int


class StopStore(Protocol):
    """The STOP list of each account."""

    async def list(self, account_id: int, *, after: int = 0, limit: int = 500) -> list[Stop]:
        """Return up to `limit` numbers of the account's STOP list beyond an id, oldest first."""

    async def count(self, account_id: int) -> int:
        """Return how many numbers are on the account's STOP list."""

    async def add(self, account_id: int, msisdn: int, *, at: int) -> int:
        """Put a number (digits) on the list; return its id, the same for a number that is on it already."""

    async def delete(self, account_id: int, stop_id: int) -> None:
        """Take a number off the list by its id. Raises StopNotFound."""
