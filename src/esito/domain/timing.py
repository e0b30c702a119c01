"""Time: an instant is a whole number of milliseconds since the epoch, UTC.

The machine's time is read through a `Clock` only, so that 48 hours can pass at once in
a test or a demonstration. Waiting is elsewhere: see `clockwork`.
"""

import time
from collections.abc import Callable
from datetime import date, datetime
from functools import lru_cache
from typing import Protocol
from zoneinfo import ZoneInfo

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

VALIDITY_MS = 48 * HOUR_MS
"""How long an operator tries to deliver, and how long we wait for its last word (contract 1.5)."""

LONGEST_RETRY_MS = 10 * MINUTE_MS
"""No segment is put off for longer; if one seems to be, a clock ahead of ours put it off."""


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> int:
        """Return the instant: milliseconds since the epoch, UTC."""


class RealClock:
    """The time of the machine."""

    def now(self) -> int:
        """Return the instant: milliseconds since the epoch, UTC."""
        return time.time_ns() // 1_000_000


class PushableClock:
    """A clock that can run fast and be pushed ahead, never back.

    It starts at the instant of its base plus `offset_ms`, then moves `speed`
    times as fast as the base. With `speed=0` it moves only when it is pushed.
    """

    def __init__(self, base: Clock | None = None, speed: float = 1.0, offset_ms: int = 0) -> None:
        if speed < 0:
            raise ValueError("a clock's speed is zero or more")
        self._base = base or RealClock()
        self._start = self._base.now()
        self._latest = self._start + offset_ms
        self._listeners: dict[object, Callable[[], None]] = {}
        self.speed = speed
        self.offset_ms = offset_ms
        """How far it was pushed in all."""

    def now(self) -> int:
        """Return the instant; it never goes back."""
        elapsed = (self._base.now() - self._start) * self.speed
        # The machine's time may be set back; this clock stands still until it has caught up.
        self._latest = max(self._latest, self._start + int(elapsed) + self.offset_ms)
        return self._latest

    def advance(self, ms: int) -> int:
        """Push the clock ahead by `ms`, call the listeners, return the new instant. Raises ValueError if negative."""
        if ms < 0:
            raise ValueError("a clock is never pushed back")
        self.offset_ms += ms
        for listener in list(self._listeners.values()):
            listener()
        return self.now()

    def on_push(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Call `listener` after every push, in the pusher's thread; return a function that ends that."""
        key = object()
        self._listeners[key] = listener

        def unsubscribe() -> None:
            self._listeners.pop(key, None)

        return unsubscribe


# -- days and months as they are billed: the calendar of Paris (contract 0, 4.5) -------------------

PARIS = ZoneInfo("Europe/Paris")


def day_of(instant: int) -> str:
    """Return the day of an instant as `2026-11-30`."""
    return _day_of_hour(instant // HOUR_MS)


@lru_cache(maxsize=64)
def _day_of_hour(hour: int) -> str:
    """Return the day of an hour since the epoch: Paris is whole hours from UTC."""
    return datetime.fromtimestamp(hour * (HOUR_MS // SECOND_MS), PARIS).strftime("%Y-%m-%d")


def month_begins(month: str) -> int:
    """Return when a month begins, in Unix seconds: midnight in Paris."""
    return int(datetime(int(month[:4]), int(month[5:]), 1, tzinfo=PARIS).timestamp())


def months_between(first: date, last: date) -> list[str]:
    """Return the months from that of the first day to that of the last, in order."""
    count = (last.year - first.year) * 12 + last.month - first.month
    numbers = (first.year * 12 + first.month - 1 + ahead for ahead in range(count + 1))
    return [f"{number // 12}-{number % 12 + 1:02d}" for number in numbers]
