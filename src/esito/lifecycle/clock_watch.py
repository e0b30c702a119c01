"""Watching the machine's clock: whether it is set, and how far it is from that of the database.

Nothing that is to leave at once waits for a clock. What is scheduled, and what was put off, goes by the clock of
whoever has the link: by how much that may be wrong is told in `/metrics`.
"""

import asyncio
import time
from collections.abc import Callable

import structlog

from esito import metrics
from esito.domain.errors import StoreError
from esito.domain.timing import SECOND_MS, Clock, RealClock
from esito.store.leases import LeaseStore

log = structlog.get_logger()

LOOK_EVERY = 5.0

WORTH_SAYING_MS = 1_000
"""A step, or a difference, below which nothing is said of it."""


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
        """Look until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_EVERY)

    async def look(self) -> None:
        """Tell `/metrics` how the clock stands, and the log when that has changed."""
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
