"""What we ask of the log of receipts that stands between gateways and the store.

A gateway appends frames; workers take them, keep what is in them, and only then say that they are done. The log is
trusted with nothing that is not proven afterwards: frames are numbered by the gateway, the store remembers the
numbers, and a gateway appends again whatever the store does not confirm.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from esito.domain.errors import EsitoError


class LogUnavailable(EsitoError):
    """It is not known that the log keeps it; to try again does no harm."""

    retry = True


class LogFull(LogUnavailable):
    """The log has reached its size; it takes nothing until workers have made room."""


class UnsafeLog(EsitoError):
    """A server of the log may lose what it has acknowledged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """One record of the log, as it was handed to us."""

    data: bytes
    place: int
    """Where it stands in the log; grows."""
    at: int
    """When the log took it, milliseconds UTC."""
    handle: object = field(default=None, repr=False, compare=False)
    """What the engine needs to know it by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """How far the store is behind the log, and how much room the log has."""

    waiting: int
    """Records that no worker has said to be done."""
    octets: int
    most: int
    """Octets at which the log takes nothing any more."""

    @property
    def filled(self) -> float:
        """The share of the log's room that is taken, 0 to 1."""
        return self.octets / self.most if self.most else 0.0


class ReceiptLog(Protocol):
    """The log."""

    async def open(self) -> None:
        """Connect, see that every server is safe, make the log or see that it is as we need it.

        Raises UnsafeLog, LogUnavailable.
        """

    async def close(self) -> None:
        """Disconnect; idempotent."""

    async def append(self, record: bytes) -> None:
        """Append a record; when this returns, a majority of the servers has it on disk.

        Raises LogUnavailable, after which it may or may not be there; LogFull when it is not.
        """

    async def take(self, limit: int, *, within: float) -> list[Delivery]:
        """Return up to `limit` records that nobody is working on; none after `within` seconds.

        What is not said to be done within some seconds is handed out again. Raises LogUnavailable.
        """

    async def done(self, deliveries: Sequence[Delivery]) -> None:
        """Never hand these out again. Raises LogUnavailable, and then they may come again."""

    async def again(self, deliveries: Sequence[Delivery]) -> None:
        """Hand these out again soon."""

    async def lag(self) -> Lag:
        """Tell how things stand. Raises LogUnavailable."""

    async def make_room(self) -> int:
        """Remove the older half of what is done with, if the log is half full; return how many records.

        What is done with stays for as long as there is room, so that it can be replayed. Raises LogUnavailable.
        """

    def since(self, at: int) -> AsyncIterator[list[Delivery]]:
        """Yield everything the log still has from an instant (milliseconds UTC) on, done with or not.

        Takes nothing away from workers. Raises LogUnavailable.
        """

    async def check(self) -> list[str]:
        """Return a sentence for everything that endangers what the log keeps. Raises LogUnavailable."""
