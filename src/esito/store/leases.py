"""What we ask of a database so that several processes share work that only one may do at a time.

A lease has a name, a holder and a token that grows with every change of hands. Whoever acts under a lease says its
token, and the store refuses the act once somebody else holds the lease: a process that was asleep does no harm.
The clock is the database's own: processes need not agree on the time.
"""

from typing import NamedTuple, Protocol


class Lease(NamedTuple):
    """Something that is held."""

    name: str
    token: int


class LeaseLine(NamedTuple):
    """A lease as it is shown."""

    name: str
    holder: str
    token: int
    left_ms: int
    """Until it ends; negative once it has."""
    told: str
    """What its holder says of what it does with it."""


class LeaseStore(Protocol):
    """Who may do what."""

    async def take(self, name: str, holder: str, *, seconds: float) -> Lease | None:
        """Take what nobody holds, for so long; None while somebody else holds it."""

    async def renew(self, lease: Lease, *, seconds: float, told: str = "") -> bool:
        """Hold it for so long from now; False when it has changed hands."""

    async def give_back(self, lease: Lease) -> None:
        """Let others take it at once, if it is still ours."""

    async def now(self) -> int:
        """Return what time it is by the clock of the database, in milliseconds since the epoch."""

    async def all(self) -> list[LeaseLine]:
        """Return every lease that was ever taken, by name."""
