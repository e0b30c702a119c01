"""How fast a link may submit: our own limit, and what a throttling operator teaches us.

A token bucket holds the configured throughput. An operator that throttles halves the pace, once a
second at the most. The pace then rises by the same amount every second, a fiftieth of what it was
before the storm: however long the storm was, all of it is back after fifty seconds without
throttling. Nothing here looks at a clock: `now` is handed in, in seconds.
"""

import math
from collections import deque

BURST = 0.1
"""Seconds of throughput that may go out at once after a pause."""

SLOWEST = 1.0
"""submit_sm per second below which an operator's throttling does not push us."""

FLOOR = 0.05
"""The share of the pace from before the storm below which a link is at the floor: it rises by less between halvings."""

FLOOR_LASTS = 10.0
"""Seconds for which a link that was pushed to the floor counts as throttled: the next second's rise is no recovery."""

RECOVERED_IN = 50.0
"""Seconds without throttling in which the pace comes back from nothing to what it was before the storm."""

REMEMBERED = 60.0
"""Seconds for which it is known how many left in each: an operator may take as long to say that they were too many."""

FORGIVE_AFTER = 1.0
"""Seconds within which further throttling belongs to the same burst and does not halve again."""


class Pace:
    """Says how many submit_sm may leave now."""

    def __init__(self, throughput: float = 0.0) -> None:
        """`throughput`: submit_sm per second, 0 for no limit of ours."""
        self._limit = throughput or math.inf
        self._rate = self._limit
        self._before_storm = 0.0
        """submit_sm per second to which the pace comes back; 0 while there is no storm."""
        self._tokens = self._size(self._limit)
        self._at = 0.0
        self._halved_at = self._floor_at = -math.inf
        self._sent_since = 0.0
        self._window_began = 0.0
        self._seconds: deque[tuple[float, float]] = deque()
        """When seconds began in which anything left, and how many left in each: every one fewer than the one before."""

    @staticmethod
    def _size(rate: float) -> float:
        return max(1.0, rate * BURST)

    @property
    def rate(self) -> float:
        """submit_sm per second at present; infinity when nothing limits them."""
        return self._rate

    def allowance(self, now: float) -> int:
        """Return how many may leave now; a large number when nothing limits them."""
        self._refill(now)
        return 1_000_000 if math.isinf(self._rate) else int(self._tokens)

    def take(self, count: int, now: float) -> None:
        """Count what left."""
        self._refill(now)
        self._sent_since += count
        if not math.isinf(self._rate):
            self._tokens -= count

    def throttled(self, now: float) -> None:
        """Slow down: the operator asked for it."""
        self._refill(now)
        if now - self._halved_at < FORGIVE_AFTER:
            return
        self._halved_at = now
        if not self._before_storm:
            self._before_storm = max(self._limit if math.isfinite(self._limit) else self._observed(), 2 * SLOWEST)
        current = self._rate if math.isfinite(self._rate) else self._before_storm
        self._rate = max(current / 2, min(SLOWEST, self._limit))
        if self._rate <= max(SLOWEST, self._before_storm * FLOOR):
            self._floor_at = now
        self._tokens = min(self._tokens, 0.0) if math.isfinite(self._tokens) else 0.0

    def is_at_floor(self, now: float) -> bool:
        """Tell whether throttling has pushed us to the floor, now or some seconds ago."""
        return self._limit > SLOWEST and (self._rate <= SLOWEST or now - self._floor_at < FLOOR_LASTS)

    def next_at(self, now: float) -> float:
        """Return when the next one may leave."""
        self._refill(now)
        if math.isinf(self._rate) or self._tokens >= 1:
            return now
        return now + (1 - self._tokens) / self._rate

    def _observed(self) -> float:
        """Return how many left in the best second of those that are remembered, this one too."""
        return max(self._sent_since, self._seconds[0][1] if self._seconds else 0.0)

    def _refill(self, now: float) -> None:
        passed = max(0.0, now - self._at)
        self._at = max(self._at, now)
        if self._at - self._window_began > 1.0:
            self._remember()
            self._window_began, self._sent_since = self._at, 0.0
        if self._before_storm:
            self._recover(passed)
        if not math.isinf(self._rate):
            size = self._size(self._rate)
            self._tokens = min(size, (self._tokens if math.isfinite(self._tokens) else size) + passed * self._rate)

    def _remember(self) -> None:
        """Keep what left in the second that is over, and whatever may still be the best of a minute."""
        while self._seconds and self._seconds[0][0] < self._at - REMEMBERED:
            self._seconds.popleft()
        while self._seconds and self._seconds[-1][1] <= self._sent_since:
            self._seconds.pop()
        if self._sent_since:
            self._seconds.append((self._window_began, self._sent_since))

    def _recover(self, passed: float) -> None:
        """Rise towards the pace from before the storm; once there, the storm is over and our own limit alone holds."""
        self._rate += self._before_storm / RECOVERED_IN * passed
        if self._rate >= min(self._before_storm, self._limit):
            self._rate, self._before_storm = self._limit, 0.0
