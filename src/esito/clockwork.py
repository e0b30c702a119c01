"""Waits for an instant of a `Clock`, whether time passes or is advanced.

A thousand items cost one timer: a `Schedule` keeps them in a heap, and one `Alarm`
rings for the earliest. All of it belongs to one event loop.
"""

import asyncio
import heapq
import math
from collections.abc import Callable
from itertools import count
from typing import Generic, TypeVar

from esito.domain.timing import Clock, PushableClock

T = TypeVar("T")

LONGEST_NAP = 60.0
"""Seconds after which a sleeper checks the clock anyway: machines are suspended and clocks are set."""


def seconds_until(clock: Clock, instant: int) -> float:
    """Return the real seconds until `instant`; infinity when only an advance of the clock can reach it."""
    missing_ms = instant - clock.now()
    if missing_ms <= 0:
        return 0.0
    speed = clock.speed if isinstance(clock, PushableClock) else 1.0
    return missing_ms / 1000 / speed if speed else math.inf


class Alarm:
    """Calls `ring` once the clock has reached the instant it is set for."""

    def __init__(self, clock: Clock, ring: Callable[[], None]) -> None:
        self._clock = clock
        self._ring = ring
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._unsubscribe = clock.on_push(self._pushed) if isinstance(clock, PushableClock) else None
        self.instant: int | None = None
        """When it rings; None when it is not set."""

    def set(self, instant: int) -> None:
        """Ring at `instant` and not when it was set before; never before this call returns."""
        self.instant = instant
        self._wind()

    def cancel(self) -> None:
        """Do not ring."""
        self.instant = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def close(self) -> None:
        """Do not ring, and unsubscribe from the clock."""
        self.cancel()
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None

    def _wind(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self.instant is not None:
            nap = min(seconds_until(self._clock, self.instant), LONGEST_NAP)
            self._timer = self._loop.call_later(nap, self._look)

    def _look(self) -> None:
        self._timer = None
        if self.instant is None:
            return
        if self._clock.now() < self.instant:
            self._wind()
        else:
            self.instant = None
            self._ring()

    def _pushed(self) -> None:
        # The clock may be advanced from another thread, and after the loop is closed.
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wind)


class Schedule(Generic[T]):
    """Items with an instant each; `due` is called with those that are due, earliest first, many at a time."""

    def __init__(self, clock: Clock, due: Callable[[list[T]], None], *, at_most: int = 1000) -> None:
        self._clock = clock
        self._due = due
        self._at_most = at_most
        self._heap: list[tuple[int, int, T]] = []
        self._serial = count()
        self._alarm = Alarm(clock, self._ring)

    def __len__(self) -> int:
        return len(self._heap)

    def add(self, instant: int, item: T) -> None:
        """Pass `item` to `due` at `instant`; items of one instant keep their order."""
        heapq.heappush(self._heap, (instant, next(self._serial), item))
        if self._alarm.instant is None or instant < self._alarm.instant:
            self._alarm.set(instant)

    def close(self) -> None:
        """Drop all items and call `due` no more."""
        self._alarm.close()
        self._heap.clear()

    def _ring(self) -> None:
        now = self._clock.now()
        items: list[T] = []
        # An advance may make a million items due; other tasks run between portions.
        while self._heap and self._heap[0][0] <= now and len(items) < self._at_most:
            items.append(heapq.heappop(self._heap)[2])
        if self._heap:
            self._alarm.set(self._heap[0][0])
        if items:
            self._due(items)


async def sleep_until(clock: Clock, instant: int) -> None:
    """Return once the clock has reached `instant`."""
    reached = asyncio.Event()
    alarm = Alarm(clock, reached.set)
    try:
        alarm.set(instant)
        await reached.wait()
    finally:
        alarm.close()
