"""The interface of the receipt log between gateways and the store.

A gateway appends frames; workers take them, store the receipts, and only then acknowledge them. We do not trust the
log to keep everything: the gateway numbers its frames, the store counts the numbers, and the gateway appends again
whatever the store does not confirm.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from esito.domain.errors import EsitoError


class LogUnavailable(EsitoError):
    """The record may or may not be stored; retrying is safe."""

    retry = True


class LogFull(LogUnavailable):
    """The log is full; it takes nothing until workers have made room."""


class UnsafeLog(EsitoError):
    """A server of the log may lose what it acknowledged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRecord:
    """One record of the log, as a worker gets it."""

    data: bytes
    place: int
    """Its position in the log; grows."""
    at: int
    """When the log accepted it, milliseconds UTC."""
    handle: object = field(default=None, repr=False, compare=False)
    """By which the engine acknowledges it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lag:
    """How far the store is behind the log, and how much room the log has."""

    waiting: int
    """Records that no worker has acknowledged."""
    octets: int
    most: int
    """Octets at which the log is full."""

    @property
    def filled(self) -> float:
        """How full the log is, 0 to 1."""
        return self.octets / self.most if self.most else 0.0


class ReceiptLog(Protocol):
    """The log of receipts."""

    async def open(self) -> None:
        """Connect, check that every server is safe, and create the log or check its configuration.

        Raises UnsafeLog, LogUnavailable.
        """

    async def close(self) -> None:
        """Disconnect; idempotent."""

    async def append(self, record: bytes) -> None:
        """Append a record; on return a majority of the servers has it on disk.

        Raises LogUnavailable if it may or may not be stored, LogFull if it is not.
        """

    async def take(self, limit: int, *, within: float) -> list[LogRecord]:
        """Return up to `limit` records that no other worker has; none after `within` seconds.

        A record that is not acknowledged within some seconds is delivered again. Raises LogUnavailable.
        """

    async def done(self, records: Sequence[LogRecord]) -> None:
        """Acknowledge records. Raises LogUnavailable, and then they may come again."""

    async def again(self, records: Sequence[LogRecord]) -> None:
        """Ask the log to deliver these records again soon. Raises LogUnavailable."""

    async def lag(self) -> Lag:
        """Return how many records wait and how full the log is. Raises LogUnavailable."""

    async def make_room(self) -> int:
        """Remove the older half of the acknowledged records if the log is half full; return how many.

        Acknowledged records stay while there is room, so that they can be replayed. Raises LogUnavailable.
        """

    def since(self, at: int) -> AsyncIterator[list[LogRecord]]:
        """Yield all records of the log from an instant (milliseconds UTC) on, acknowledged or not.

        Workers still get theirs. Raises LogUnavailable.
        """

    async def check(self) -> list[str]:
        """Return a sentence for every danger to the records of the log. Raises LogUnavailable."""
