"""How long a test waits for what must come about, in one place.

A wait polls, and gives up late: a slow machine is not a fault. Nobody else in the tests names a number of seconds after
which something is late, or holds a time that was measured against one (tests/test_patience.py). Where a bound is the
point, two things are done in turns and compared (`Beside`), or what happens is counted.

`ESITO_TEST_PATIENCE` is the one setting, in seconds.
"""

import asyncio
import inspect
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

PATIENCE = float(os.environ.get("ESITO_TEST_PATIENCE", "60"))
"""Seconds within which whatever is expected must have come about."""

HANGS = 10 * PATIENCE
"""Seconds after which a test hangs. It may wait for several things, each with all patience."""

AT_ONCE = 1_000
"""Things of one kind that one patience is enough for."""

A_MOMENT = 0.05
"""Seconds in which what must not happen would have happened. Too short, it hides a fault; it never makes one."""

A_TRY = 2.0
"""Seconds after which one try of several is given up."""


def patience_for(count: int) -> float:
    """Return the seconds within which so many things must have come about."""
    return PATIENCE * max(1, count / AT_ONCE)


def pauses(longest: float = 0.02) -> Iterator[float]:
    """Yield the seconds to wait before looking again: soon at first, then less often. Looking is work, too."""
    pause = 0.002
    while True:
        yield pause
        pause = min(1.5 * pause, longest)


def wait_until(true: Callable[[], Any], what: object = "it did not come about", *, times: float = 1) -> Any:
    """Return what `true` returns, once that is true. Raises AssertionError with `what`, called first if it can be.

    `times`: how many times the usual patience, where much has to be done.
    """
    give_up, pause = time.monotonic() + times * PATIENCE, pauses(0.05)
    while not (found := true()):
        assert time.monotonic() < give_up, _said(what)
        time.sleep(next(pause))
    return found


async def until(true: Callable[[], Any], what: object = "it did not come about", *, times: float = 1) -> Any:
    """Do as `wait_until` in a loop that goes on; `true` may be awaited."""
    give_up, pause = time.monotonic() + times * PATIENCE, pauses()
    while not (found := await _value(true())):
        assert time.monotonic() < give_up, _said(what)
        await asyncio.sleep(next(pause))
    return found


def in_time(*, times: float = 1) -> asyncio.Timeout:
    """Give the block all patience: `async with in_time():`. Raises TimeoutError."""
    return asyncio.timeout(times * PATIENCE)


def moment() -> float:
    """Return the seconds of a clock that never steps back: to be told, or to say what was first."""
    return time.monotonic()


class Stopwatch:
    """Says that something took at least so long. A slow machine cannot make that false, so it is all that is said."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def at_least(self, seconds: float) -> bool:
        """Return whether so much time has passed."""
        return time.monotonic() >= self._began + seconds


WORK = time.process_time
"""The processor's time of this process, all threads of it: a clock for `Beside`."""


class Beside:
    """What two things take that are done in turns, many times: whatever slows one down slows down the other.

    What waits for nothing is measured by the processor's time (`WORK`): others who want the processor do not count.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._took: dict[str, list[float]] = {}

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """Count what the block takes for this one of the two."""
        began = self._clock()
        yield
        self._took.setdefault(name, []).append(self._clock() - began)

    def ratio(self, one: str, other: str) -> float:
        """Return how many times longer one takes than the other; of each the least, as the rest is the machine's."""
        return min(self._took[one]) / min(self._took[other])


def turns_of_a_loop(thousands: int) -> None:
    """Do a known amount of work, to hold other work against."""
    for _ in range(thousands * 1000):
        pass


async def _value(found: Any) -> Any:
    return await found if inspect.isawaitable(found) else found


def _said(what: object) -> object:
    return what() if callable(what) else what
