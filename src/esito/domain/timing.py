"""What time it is: an instant is a whole number of milliseconds since the epoch, UTC.

Nobody asks the machine for the time but through a `Clock`, so that 48 hours can
pass at once in a test or a demonstration. Waiting is not done here: see `clockwork`.
"""

import time
from collections.abc import Callable
from typing import Protocol

SECOND_MS = 1_000
MINUTE_MS = 60 * SECOND_MS
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS

VALIDITY_MS = 48 * HOUR_MS
"""How long an operator tries, and how long we wait for its last word (contract 1.5)."""


LONGEST_RETRY_MS = 10 * MINUTE_MS
"""No segment is put off for longer: one that seems to be was put off by a clock that is ahead of ours."""


class Clock(Protocol):
    """Something that tells the time."""

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
        """By how much it was pushed in all."""

    def now(self) -> int:
        """Return the instant; it never lies before one returned earlier."""
        elapsed = (self._base.now() - self._start) * self.speed
        # The machine's time may be set back; ours stands still until it has caught up.
        self._latest = max(self._latest, self._start + int(elapsed) + self.offset_ms)
        return self._latest

    def advance(self, ms: int) -> int:
        """Push the clock ahead by `ms`, tell those who wait, return the new instant; ValueError when negative."""
        if ms < 0:
            raise ValueError("a clock is never pushed back")
        self.offset_ms += ms
        for listener in list(self._listeners.values()):
            listener()
        return self.now()

    def on_push(self, listener: Callable[[], None]) -> Callable[[], None]:
        """Have `listener` called after every push, in the pusher's thread; return what ends that."""
        key = object()
        self._listeners[key] = listener

        def unsubscribe() -> None:
            self._listeners.pop(key, None)

        return unsubscribe
