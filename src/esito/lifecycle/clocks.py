"""Clocks of several machines and processes: how far ours is off, and a pushable clock that all of them share.

Nothing that is to leave at once waits for a clock. What is scheduled or put off follows the clock of the process that
runs the link; `/metrics` tells how far that may be wrong.
"""

import asyncio
import time
from collections.abc import Callable

import structlog

from esito import metrics
from esito.domain.errors import StoreError
from esito.domain.timing import SECOND_MS, Clock, PushableClock, RealClock
from esito.store.interface.link_store import LeaseStore
from esito.store.interface.store import CLOCK_OFFSET, Store

log = structlog.get_logger()

COMPARE_EVERY = 5.0

WORTH_SAYING_MS = 1_000
"""Smaller steps and differences are not logged."""

LOOK_EVERY = 0.5
"""Seconds between looks at how far another process has pushed the shared clock."""


class ClockWatch:
    """Compares the machine's clock with a time that never steps, and with the database's."""

    def __init__(
        self, leases: LeaseStore, *, clock: Clock | None = None, seconds: Callable[[], float] = time.monotonic
    ) -> None:
        self._leases = leases
        self._clock = clock or RealClock()
        self._seconds = seconds
        self._began = self._clock.now() - self._steady()
        self._stepped_ms = 0
        self._ahead_ms = 0

    def _steady(self) -> int:
        return int(self._seconds() * SECOND_MS)

    async def run(self) -> None:
        """Compare until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(COMPARE_EVERY)

    async def look(self) -> None:
        """Publish how far the clock is off in `/metrics`, and log when that has changed."""
        stepped = self._clock.now() - self._steady() - self._began
        if abs(stepped - self._stepped_ms) >= WORTH_SAYING_MS:
            log.warning("clock_set", ms=stepped - self._stepped_ms)
            self._stepped_ms = stepped
        metrics.CLOCK_STEPPED.set(stepped / SECOND_MS)
        before = self._clock.now()
        try:
            theirs = await self._leases.now()
        except StoreError:
            return
        ahead = (before + self._clock.now()) // 2 - theirs
        if abs(ahead - self._ahead_ms) >= WORTH_SAYING_MS:
            log.warning("clock_differs", from_="store", ms=ahead)
            self._ahead_ms = ahead
        metrics.CLOCK_AHEAD.set(ahead / SECOND_MS)


# -- a pushable clock of several processes: one pushes, the store keeps by how much, the others follow --------


async def catch_up(store: Store, clock: PushableClock) -> None:
    """Push a clock as far as another process has pushed its own. Raises StoreError."""
    behind = await _behind(store, clock)
    if behind > 0:
        clock.advance(behind)


async def follow(store: Store, clock: PushableClock, *, after: float = 0) -> None:
    """Catch up again and again, until cancelled; `after`: seconds to wait, for a process that must not be first."""
    while True:
        try:
            if await _behind(store, clock) > 0:
                await asyncio.sleep(after)
                await catch_up(store, clock)
        except StoreError as error:
            log.warning("clock_cannot_be_followed", reason=str(error))
        await asyncio.sleep(LOOK_EVERY)


async def _behind(store: Store, clock: PushableClock) -> int:
    return int(await store.setting(CLOCK_OFFSET) or 0) - clock.offset_ms
