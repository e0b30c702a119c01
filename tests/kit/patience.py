"""How long a test waits for what must come about, in one place.

A wait polls, and gives up late: a slow machine is not a fault. Nobody else in the tests names a number of seconds after
which something is late, or holds a time that was measured against one (tests/test_patience.py).

`ESITO_TEST_PATIENCE` is the one setting, in seconds.
"""

import asyncio
import inspect
import os
import time
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE = float(os.environ.get("ESITO_TEST_PATIENCE", "60"))
"""Seconds within which whatever is expected must have come about."""

HANGS = 10 * PATIENCE
"""Seconds after which a test hangs. It may wait for several things, each with all patience."""

A_MOMENT = 0.05
"""Seconds in which what must not happen would have happened. Too short, it hides a fault; it never makes one."""


def wait_until(true: Callable[[], T], what: object = "it did not come about", *, times: float = 1) -> T:
    """Return what `true` returns, once that is true. Raises AssertionError with `what`, called first if it can be.

    `times`: how many times the usual patience, where much has to be done.
    """
    give_up = time.monotonic() + times * PATIENCE
    while not (found := true()):
        assert time.monotonic() < give_up, _said(what)
        time.sleep(0.01)
    return found


async def until(true: Callable[[], T | Awaitable[T]], what: object = "it did not come about", *, times: float = 1) -> T:
    """Do as `wait_until` in a loop that goes on; `true` may be awaited."""
    give_up = time.monotonic() + times * PATIENCE
    while not (found := await _value(true())):
        assert time.monotonic() < give_up, _said(what)
        await asyncio.sleep(0.002)
    return found


def in_time(*, times: float = 1) -> asyncio.Timeout:
    """Give the block all patience: `async with in_time():`. Raises TimeoutError."""
    return asyncio.timeout(times * PATIENCE)


async def _value(found: T | Awaitable[T]) -> T:
    return await found if inspect.isawaitable(found) else found


def _said(what: object) -> object:
    return what() if callable(what) else what
