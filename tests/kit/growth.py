"""What work costs as its input grows: by this thread's processor time, the shorter beside the longer.

The rule: twice the input costs at most 2.5 times as much. Three doublings are measured at once, as the clock is too
coarse for one: eight times the input, at most 15.6 times the work, where squares would take 64.
"""

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

T = TypeVar("T")

SHORTER = 8
"""How many times shorter the control is."""

AT_MOST = 2.5**3

LINEAR = 1.25 * SHORTER
"""Of one round enough to be believed: squares are far from it."""

SOON_NS = 1_000_000
"""Nanoseconds of the whole input within which nobody waits, however it grew: what is seen then is the memory that
the longer one is the first to ask for. Squares of some thousand octets are beyond it."""

ROUNDS, TRIES = 3, 5


def growth(read: Callable[[T], object], make: Callable[[int], T], octets: int) -> float:
    """Return how many times more an input of so many octets costs than an eighth of it; 0 where neither costs much.

    Of each the least of some rounds, taken in turns, where the first leaves a doubt; what looks bad is tried again,
    as a busy machine may do that.
    No garbage may be collected meanwhile (`no_collections`).
    """
    short, long = make(octets // SHORTER), make(octets)
    ratios = []
    for _ in range(TRIES):
        ratio = _ratio(read, short, long)
        if ratio < AT_MOST:
            return ratio
        ratios.append(ratio)
    return min(ratios)


def _ratio(read: Callable[[T], object], short: T, long: T) -> float:
    of_short, of_long = [], []
    for _ in range(ROUNDS):
        of_short.append(_cost(read, short))
        of_long.append(_cost(read, long))
        if min(of_long) < SOON_NS:
            return 0.0
        if (ratio := min(of_long) / min(of_short)) < LINEAR:
            break
    return ratio


def _cost(read: Callable[[T], object], given: T) -> int:
    began = time.thread_time_ns()
    read(given)
    return max(time.thread_time_ns() - began, 1)


@contextmanager
def no_collections() -> Iterator[None]:
    """Let no garbage collection fall into one of the two: what it costs depends on all that was there before."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
