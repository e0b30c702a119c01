"""Whether the submit dates in an operator's receipts are those of our own submissions.

They are written in a zone that somebody had to look up, by a clock that may be wrong, and they decide where an id
does not. So whoever runs a link is told when they are far from ours time after time, of segments that nothing but
their receipt's very id and number leaves possible.
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
        """Whether somebody is to look at them."""
        return self.count <= -MISLEAD

    @property
    def is_sure(self) -> bool:
        """Whether one more that is near would change nothing."""
        return self.count >= SURE

    def saw(self, net: int) -> None:
        """Count receipts that came together: those near our own less those far from it."""
        count = max(-SURE, min(self.count + net, SURE))
        self.changed = self.changed or count != self.count
        self.count = count
