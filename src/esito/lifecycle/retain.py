"""Keeping things no longer than they should be: texts, numbers and statuses each have a clock of their own."""

import asyncio
import time

import structlog

from esito.clockwork import sleep_until
from esito.config import RetentionSettings
from esito.domain.errors import StoreUnavailable
from esito.domain.timing import DAY_MS, HOUR_MS, Clock
from esito.store.base import Store
from esito.store.retention import BEGINNING, Place, Sweep

log = structlog.get_logger()

LOOK_EVERY_MS = HOUR_MS

PAUSE = 0.02
"""Seconds between two transactions, at least, in which receipts and sends have the store to themselves."""

REST = 3.0
"""Times as long as a transaction took is the pause after it: they have the store for most of the time, slow or not."""

LONGEST_PAUSE = 5.0
"""Seconds."""


def ages(settings: RetentionSettings) -> dict[Sweep, int]:
    """Return after how many days each kind of thing goes, in the order in which they must.

    Who is without a number has no text, and what has no status has neither.
    """
    statuses = settings.status_days
    numbers = min(settings.number_days, statuses)
    texts = min(settings.text_days, numbers)
    return {
        Sweep.SANDBOX: 1,
        Sweep.TEXTS: texts,
        Sweep.RECEIPTS: texts,
        Sweep.REPLY_TEXTS: texts,
        Sweep.NUMBERS: numbers,
        Sweep.REPLY_NUMBERS: numbers,
        Sweep.ORPHAN_NUMBERS: numbers,
        Sweep.STATUSES: statuses,
        Sweep.REPLIES: statuses,
        Sweep.ORPHANS: statuses,
    }


class Retaining:
    """Looks, once an hour of the clock, for what is too old."""

    def __init__(self, *, store: Store, clock: Clock, settings: RetentionSettings, pause: float = PAUSE) -> None:
        """`pause`: seconds between two transactions, at least; 0: none at all."""
        self._store = store
        self._clock = clock
        self._ages = ages(settings)
        self._pause = pause

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self.look()
            await sleep_until(self._clock, self._clock.now() + LOOK_EVERY_MS)

    async def look(self) -> None:
        """Treat everything that is too old now, a small transaction at a time."""
        now = self._clock.now()
        try:
            for kind, days in self._ages.items():
                await self._sweep(kind, now - days * DAY_MS)
        except StoreUnavailable as error:
            log.warning("retention_put_off", reason=str(error))

    async def _sweep(self, kind: Sweep, before: int) -> None:
        beyond: Place | None = BEGINNING
        while beyond is not None:
            began = time.monotonic()
            beyond = await self._store.retention.sweep(kind, before=before, beyond=beyond)
            if self._pause and beyond is not None:
                took = time.monotonic() - began
                await asyncio.sleep(min(max(self._pause, took * REST), LONGEST_PAUSE))
