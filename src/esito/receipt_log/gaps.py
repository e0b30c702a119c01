"""Gaps in the numbers of the frames that the log delivered.

Several frames are in flight at a time, so one may come a little later than its successors. One that is missing for
longer was lost by the log; its gateway sends it again by itself.
"""

from typing import NamedTuple

from esito.store.interface.store import Store

OVERDUE_AFTER = 3.0
"""Seconds by which a frame may be later than its successors."""


class Gap(NamedTuple):
    """A frame that is missing."""

    gateway: str
    epoch: int
    sequence: int


class Gaps:
    """Remembers how long each frame has been missing."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._since: dict[Gap, float] = {}

    async def look(self, now: float) -> list[Gap]:
        """Return the frames that are overdue, in order; `now` is monotonic time in seconds."""
        missing = [
            Gap(mark.gateway, mark.epoch, one) for mark in await self._store.frames.marks() for one in mark.missing
        ]
        self._since = {gap: self._since.get(gap, now) for gap in missing}
        return sorted(gap for gap, since in self._since.items() if now - since >= OVERDUE_AFTER)

    @property
    def any(self) -> bool:
        """Whether any frame was missing at the last look, overdue or not."""
        return bool(self._since)


def sentence(gap: Gap) -> str:
    """Return a sentence about a missing frame."""
    which = f"frame {gap.sequence} of {gap.gateway} (series {gap.epoch})"
    return f"{which} has not come; its gateway has it and sends it again"
