"""What we ask of a database for the outbox of callbacks; the docstrings are the promises.

A callback is written with the change that it tells of, by whoever makes that change. From there on it is here:
routed to its destination, claimed under a lease, recorded attempt by attempt, listed, replayed.
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from typing import Protocol

from esito.domain.callback import Callback, CallbackLine, Destination, Outcome
from esito.domain.slots import Slots


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimRequest:
    """How many callbacks a worker can make now."""

    at: int
    lease_ms: int
    slots: Slots
    """What is out, and so what may go out yet; the claim takes from it what it leases."""
    fast: Container[int] = frozenset()
    """Destinations that answer fast."""
    holding: frozenset[int] = frozenset()
    """Callbacks that this worker is making: their leases do not end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedCallbacks:
    """What was leased."""

    callbacks: list[Callback]
    next_at: int | None
    """When the next becomes due, as far as it was looked; None: nothing is in sight.

    That is at once where there was more to give up than one claim may.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What one turn of a worker came to."""

    given_up: int
    """Callbacks whose last attempt was recorded."""
    routed: int
    claimed: ClaimedCallbacks


class CallbackStore(Protocol):
    """The outbox of callbacks."""

    async def free_leases(self, at: int) -> int:
        """Make due what a dead process was making, when a worker starts; return how many.

        Where several workers share a store, only what has outlived its lease: the rest may be another's.
        """

    async def route(self, at: int, *, limit: int = 1000) -> int:
        """Find the destination of up to `limit` new callbacks, oldest first; return how many there were.

        One whose destination is disabled, or that has none, is dead at once with the reason.
        One is behind as long as an earlier one of its kind for its recipient is unfinished.
        """

    async def claim(self, wanted: ClaimRequest) -> ClaimedCallbacks:
        """Lease callbacks that are due, as far as there are slots; those of the sandbox come last.

        Accounts take turns, and of each one destination after another: of that, the earliest due first. Of one kind
        and recipient, one is out at a time. A lease that has ended is as none. What waits for a disabled destination,
        or for a path that is gone, is dead instead, with the reason.
        """

    async def record(self, outcomes: Sequence[Outcome]) -> int:
        """Keep attempts and what they came to, in one transaction; return how many callbacks were given up.

        2xx is done; without `next_at` it is dead; else it is tried again then. Whatever waited behind a finished
        one becomes due. 410 disables the path that said so; five days of failures without a success, the destination.
        """

    async def turn(self, outcomes: Sequence[Outcome], wanted: ClaimRequest, *, route: int = 1000) -> Turn:
        """Record, route and claim in one transaction: when it is refused, nothing of all that has happened."""

    async def replay(self, account_id: int, callback_id: int, at: int) -> int:
        """Make one callback again, under the same webhook-id; return how many that was: none while it is being made.

        What is replayed begins a new ladder of tries, and enables its destination and its path. Raises NoSuchCallback.
        """

    async def replay_since(self, account_id: int, since: int, at: int, *, dead_only: bool = False) -> int:
        """Make again every finished callback whose change is not older than `since`; return how many."""

    async def page(
        self,
        account_id: int,
        *,
        status: str = "",
        message_id: int | None = None,
        before: tuple[int, int] | None = None,
        limit: int = 100,
    ) -> list[CallbackLine]:
        """Return up to `limit` callbacks, newest first, beyond (instant, id) `before`.

        `status` is `waiting`, `done` or `dead`; empty: any.
        """

    async def one(self, account_id: int, callback_id: int) -> CallbackLine | None:
        """Return a callback with its log of attempts; None when the account has no such callback."""

    async def destinations(self, account_id: int, *, after: str = "", limit: int = 100) -> list[Destination]:
        """Return up to `limit` places where the account's callbacks go, and how that goes, by their origins.

        The first is beyond the origin `after`. A callback whose URL cannot be used belongs to none of them.
        """

    async def waiting(self) -> tuple[int, int]:
        """Return how many callbacks wait to be made, and how many are dead, over all accounts."""
