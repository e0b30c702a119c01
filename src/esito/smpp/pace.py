"""How fast a link may submit: our own limit, and what a throttling operator teaches us.

A token bucket holds the configured throughput. An operator that says ESME_RTHROTTLED or
ESME_RMSGQFUL halves the pace at once; it then recovers by a twentieth of the former pace
every second. Nothing here looks at a clock: `now` is handed in, in seconds.
"""

import math

BURST = 0.1
"""Seconds of throughput that may go out at once after a pause."""

SLOWEST = 1.0
"""submit_sm per second below which an operator's throttling does not push us."""

RECOVERY = 0.05
"""Part of the former pace that comes back each second."""

FORGIVE_AFTER = 1.0
"""Seconds within which further throttling belongs to the same burst and does not halve again."""


class Pace:
    """Says how many submit_sm may leave now."""

    def __init__(self, throughput: float = 0.0) -> None:
        """`throughput`: submit_sm per second, 0 for no limit of ours."""
        self._limit = throughput or math.inf
        self._rate = self._limit
        self._former = 0.0
        self._tokens = self._size(self._limit)
        self._at = 0.0
        self._throttled_at = -math.inf
        self._sent_since = 0.0
        self._window_began = 0.0

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
        if now - self._throttled_at < FORGIVE_AFTER:
            return
        self._throttled_at = now
        current = self._observed(now) if math.isinf(self._rate) else self._rate
        self._former = max(current, SLOWEST)
        self._rate = max(self._former / 2, SLOWEST)
        self._tokens = min(self._tokens, 0.0) if math.isfinite(self._tokens) else 0.0

    def next_at(self, now: float) -> float:
        """Return when the next one may leave."""
        self._refill(now)
        if math.isinf(self._rate) or self._tokens >= 1:
            return now
        return now + (1 - self._tokens) / self._rate

    def _observed(self, now: float) -> float:
        return self._sent_since / max(now - self._window_began, 0.1)

    def _refill(self, now: float) -> None:
        passed = max(0.0, now - self._at)
        self._at = max(self._at, now)
        if now - self._window_began > 1.0:
            self._window_began, self._sent_since = now, 0.0
        if self._rate < self._limit:
            self._recover(passed)
        if not math.isinf(self._rate):
            size = self._size(self._rate)
            self._tokens = min(size, (self._tokens if math.isfinite(self._tokens) else size) + passed * self._rate)

    def _recover(self, passed: float) -> None:
        """Come back towards the limit; without one, until twice the pace at which we were throttled."""
        self._rate += self._former * RECOVERY * passed
        ceiling = self._limit if math.isfinite(self._limit) else self._former * 2
        if self._rate >= ceiling:
            self._rate = self._limit
