"""An SMSC that is there and answers no submit_sm: what is written to it only becomes uncertain.

One response may get lost, or come late. So after the first that is overdue one submit_sm is tried at a time; the
session is given up when that one is overdue too, or a whole window was. Instants are seconds of a monotonic clock.
"""

import math


class Unanswered:
    """Counts, for one session, the submit_sm that were not answered in time since the last one that was."""

    def __init__(self, *, suspect: bool = False) -> None:
        """`suspect`: a former session was given up over this; nothing has been answered since."""
        self._trying_since: float | None = -math.inf if suspect else None
        self._answered_at = -math.inf
        self._count = 0

    @property
    def one_at_a_time(self) -> bool:
        """Whether only one submit_sm may be away."""
        return self._trying_since is not None

    def answered(self, now: float) -> None:
        """Note that a submit_sm was answered, whatever with."""
        self._answered_at, self._trying_since, self._count = now, None, 0

    def overdue(self, first: float, last: float, count: int, *, window: int, now: float) -> bool:
        """Note that so many are overdue, asked between `first` and `last`; return whether to give the session up."""
        if self._answered_at >= first:
            return False
        self._count += count
        if self._trying_since is None:
            self._trying_since = now
        return self._count >= window or last > self._trying_since
