"""Whether the submit dates in an operator's receipts tell when we submitted.

They are written in a zone that somebody had to look up, by a clock that may be wrong. Dates that
are far from our own of segments that nothing else than a receipt's very id and number leaves
possible, time after time, are those of another zone or clock: they are not asked any more.
"""

from dataclasses import dataclass

SURE = 20
"""Receipts beyond which the count does not go, either way: a clock that was right for years may be wrong tomorrow."""

MISLEAD = 10
"""How many more must have been far from our own than near for them to mislead."""


@dataclass(slots=True)
class SubmitDates:
    """What the dates of one operator were worth so far."""

    count: int = 0
    """Receipts dated near our own submit_sm, less those that were not; between -SURE and SURE."""
    changed: bool = False
    """Whether there is anything new to keep."""

    @property
    def mislead(self) -> bool:
        """Whether they are not to be asked."""
        return self.count <= -MISLEAD

    @property
    def is_sure(self) -> bool:
        """Whether one more that is near would change nothing."""
        return self.count >= SURE

    def saw(self, *, near: bool) -> None:
        """Count the date of a receipt that can be about one segment only."""
        count = min(self.count + 1, SURE) if near else max(self.count - 1, -SURE)
        self.changed = self.changed or count != self.count
        self.count = count
