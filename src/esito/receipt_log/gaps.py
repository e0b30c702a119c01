"""Frames that later ones have overtaken: what the log brought with a hole in it.

Frames are under way side by side, so one may be a little behind. Whatever is missing for longer was lost by the log,
until its gateway sends it again, which it does by itself.
"""

from typing import NamedTuple

from esito.store.base import Store

OVERDUE_AFTER = 3.0
"""Seconds by which a frame may come after its successors."""


class Gap(NamedTuple):
    """A frame that is missing."""

    gateway: str
    epoch: int
    sequence: int


class Gaps:
    """Remembers since when each frame is missing."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._since: dict[Gap, float] = {}

    async def look(self, now: float) -> list[Gap]:
        """Return what has been missing for long, first to last; `now` is a time that never goes back, in seconds."""
        missing = [
            Gap(mark.gateway, mark.epoch, one) for mark in await self._store.intake.marks() for one in mark.missing
        ]
        self._since = {gap: self._since.get(gap, now) for gap in missing}
        return sorted(gap for gap, since in self._since.items() if now - since >= OVERDUE_AFTER)

    @property
    def any(self) -> bool:
        """Whether anything was missing when we looked last, for however short a time."""
        return bool(self._since)


def sentence(gap: Gap) -> str:
    """Say what is missing."""
    which = f"frame {gap.sequence} of {gap.gateway} (series {gap.epoch})"
    return f"{which} has not come; its gateway has it and sends it again"
