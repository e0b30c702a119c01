"""How fast a link may submit: our own limit, and less while the operator throttles.

A token bucket enforces the configured throughput. Throttling halves the rate, at most once a
second. The rate then rises by the same amount every second, a fiftieth of what it was before the
throttling: after fifty seconds without any it is all back, however long it lasted. Nothing here
reads a clock: `now` is passed in, in seconds.
"""

import math
from collections import deque

BURST = 0.1
"""Seconds of throughput that may go out at once after a pause."""

SLOWEST = 1.0
"""submit_sm per second below which throttling does not push the rate."""

FLOOR = 0.05
"""The share of the earlier rate below which a link is at the floor: between halvings it rises by less than that."""

FLOOR_LASTS = 10.0
"""Seconds for which a link that was at the floor counts as throttled: one second's rise is no recovery."""

RECOVERED_IN = 50.0
"""Seconds without throttling after which all of the earlier rate is back."""

REMEMBERED = 60.0
"""Seconds for which the submit_sm of each second are remembered: an operator may throttle as late as that."""

FORGIVE_AFTER = 1.0
"""Seconds within which more throttling counts as the same burst and does not halve again."""


class Throttle:
    """Tells how many submit_sm may leave now."""

    def __init__(self, throughput: float = 0.0) -> None:
        """`throughput`: submit_sm per second, 0 for no limit of ours."""
        self._limit = throughput or math.inf
        self._rate = self._limit
        self._earlier_rate = 0.0
        """submit_sm per second to which the rate comes back; 0 while the operator does not throttle."""
        self._tokens = self._size(self._limit)
        self._at = 0.0
        self._halved_at = self._floor_at = -math.inf
        self._sent_since = 0.0
        self._window_began = 0.0
        self._seconds: deque[tuple[float, float]] = deque()
        """Start of a second and how many left in it, in decreasing order of how many."""

    @staticmethod
    def _size(rate: float) -> float:
        return max(1.0, rate * BURST)

    @property
    def rate(self) -> float:
        """submit_sm per second now; infinity if unlimited."""
        return self._rate

    def allowance(self, now: float) -> int:
        """Return how many may leave now; a large number if unlimited."""
        self._refill(now)
        return 1_000_000 if math.isinf(self._rate) else int(self._tokens)

    def take(self, count: int, now: float) -> None:
        """Count what left."""
        self._refill(now)
        self._sent_since += count
        if not math.isinf(self._rate):
            self._tokens -= count

    def throttled(self, now: float) -> None:
        """Slow down: the operator throttles."""
        self._refill(now)
        if now - self._halved_at < FORGIVE_AFTER:
            return
        self._halved_at = now
        if not self._earlier_rate:
            self._earlier_rate = max(self._limit if math.isfinite(self._limit) else self._observed(), 2 * SLOWEST)
        current = self._rate if math.isfinite(self._rate) else self._earlier_rate
        self._rate = max(current / 2, min(SLOWEST, self._limit))
        if self._rate <= max(SLOWEST, self._earlier_rate * FLOOR):
            self._floor_at = now
        self._tokens = min(self._tokens, 0.0) if math.isfinite(self._tokens) else 0.0

    def is_at_floor(self, now: float) -> bool:
        """Tell whether throttling pushed the rate to the floor, now or some seconds ago."""
        return self._limit > SLOWEST and (self._rate <= SLOWEST or now - self._floor_at < FLOOR_LASTS)

    def next_at(self, now: float) -> float:
        """Return when the next one may leave."""
        self._refill(now)
        if math.isinf(self._rate) or self._tokens >= 1:
            return now
        return now + (1 - self._tokens) / self._rate

    def _observed(self) -> float:
        """Return how many left in the busiest second remembered, the current one included."""
        return max(self._sent_since, self._seconds[0][1] if self._seconds else 0.0)

    def _refill(self, now: float) -> None:
        passed = max(0.0, now - self._at)
        self._at = max(self._at, now)
        if self._at - self._window_began > 1.0:
            self._remember()
            self._window_began, self._sent_since = self._at, 0.0
        if self._earlier_rate:
            self._recover(passed)
        if not math.isinf(self._rate):
            size = self._size(self._rate)
            self._tokens = min(size, (self._tokens if math.isfinite(self._tokens) else size) + passed * self._rate)

    def _remember(self) -> None:
        """Record the second that is over; drop what can no longer be the busiest of a minute."""
        while self._seconds and self._seconds[0][0] < self._at - REMEMBERED:
            self._seconds.popleft()
        while self._seconds and self._seconds[-1][1] <= self._sent_since:
            self._seconds.pop()
        if self._sent_since:
            self._seconds.append((self._window_began, self._sent_since))

    def _recover(self, passed: float) -> None:
        """Rise towards the earlier rate; once there, only our own limit holds again."""
        self._rate += self._earlier_rate / RECOVERED_IN * passed
        if self._rate >= min(self._earlier_rate, self._limit):
            self._rate, self._earlier_rate = self._limit, 0.0
