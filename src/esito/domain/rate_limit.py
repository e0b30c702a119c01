"""Rate limits: a bucket for each name, which every request empties and time fills."""

from collections import OrderedDict
from dataclasses import dataclass

MOST_NAMES = 50_000
"""Names that are remembered; beyond that, the ones idle for longest are forgotten."""


@dataclass(frozen=True, slots=True)
class Rate:
    """Requests allowed in a number of milliseconds."""

    count: int
    per_ms: int


class Limiter:
    """Counts the requests of many names against one rate."""

    def __init__(self, rate: Rate) -> None:
        self._rate = rate
        # Name to how full its bucket was, in requests, and when.
        self._buckets: OrderedDict[object, tuple[float, int]] = OrderedDict()

    def wait_ms(self, name: object, now: int) -> int:
        """Count a request; return 0 if it may be answered, else the milliseconds until one may."""
        filled = self._filled(name, now)
        allowed = filled >= 1
        self._keep(name, filled - 1 if allowed else filled, now)
        if allowed:
            return 0
        return max(1, -int(-(1 - filled) * self._rate.per_ms // self._rate.count))

    def left(self, name: object, now: int) -> int:
        """Return how many requests may be answered now."""
        return int(self._filled(name, now))

    def _filled(self, name: object, now: int) -> float:
        known = self._buckets.get(name)
        if known is None:
            return float(self._rate.count)
        filled, at = known
        gained = max(0, now - at) * self._rate.count / self._rate.per_ms
        return min(float(self._rate.count), filled + gained)

    def _keep(self, name: object, filled: float, now: int) -> None:
        self._buckets[name] = filled, now
        self._buckets.move_to_end(name)
        if len(self._buckets) > MOST_NAMES:
            self._buckets.popitem(last=False)
