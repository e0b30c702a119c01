"""What we ask of a database about receipts that come through a log between gateway and store.

A gateway numbers its frames of receipts without a hole. The store remembers which it has applied, in the transaction
that applies them: so a frame that comes twice changes nothing, and one that is missing is noticed.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from esito.domain.receipt import DeliveryReceipt


class NumberedFrame(NamedTuple):
    """One frame as it came."""

    gateway: str
    epoch: int
    """Changes when a gateway loses its own memory and numbers from 1 again."""
    sequence: int
    receipts: Sequence[DeliveryReceipt]


class AppliedFrames(NamedTuple):
    """What frames came to."""

    frames: int
    """Frames that were new."""
    moved: int
    verdicts: dict[str, int]


class Mark(NamedTuple):
    """How far the frames of a gateway are applied."""

    gateway: str
    epoch: int
    confirmed: int
    """Every frame up to this one is applied."""
    beyond: tuple[int, ...]
    """Frames beyond it that are applied; what lies between is missing."""

    @property
    def missing(self) -> list[int]:
        """The frames that were overtaken by later ones."""
        return sorted(set(range(self.confirmed + 1, max(self.beyond, default=0))) - set(self.beyond))


class Poison(NamedTuple):
    """What came through the log and is no good frame."""

    number: int
    at: int
    place: int
    """Where it stood in the log."""
    reason: str
    content: bytes


class FrameStore(Protocol):
    """Receipts that come through a log."""

    async def apply(self, frames: Sequence[NumberedFrame]) -> AppliedFrames:
        """Apply the receipts of frames that are new, and remember them, in one transaction."""

    async def marks(self, gateway: str | None = None) -> list[Mark]:
        """Return how far every gateway is, or this one; an epoch each."""

    async def set_aside(self, place: int, content: bytes, *, reason: str, at: int) -> None:
        """Keep what is no good frame, once for each place."""

    async def poison(self, *, limit: int = 100) -> list[Poison]:
        """Return what was set aside, newest first."""
