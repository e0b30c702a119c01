"""Retention: texts, numbers and statuses are removed, each after a time of its own."""

import asyncio
import time

import structlog

from esito.clockwork import sleep_until
from esito.config import RetentionSettings
from esito.domain.errors import StoreUnavailable
from esito.domain.timing import DAY_MS, HOUR_MS, Clock
from esito.store.interface.retention_store import BEGINNING, Sweep, SweepPosition
from esito.store.interface.store import Store

log = structlog.get_logger()

LOOK_EVERY_MS = HOUR_MS

PAUSE = 0.02
"""Seconds at least between two transactions, in which receipts and sends have the store to themselves."""

REST = 3.0
"""How many times longer than a transaction the pause after it is: others have most of the time, slow store or not."""

LONGEST_PAUSE = 5.0
"""Seconds."""


def ages(settings: RetentionSettings) -> dict[Sweep, int]:
    """Return after how many days each kind is removed, in the order in which they must be.

    A text goes no later than its number, a number no later than its status.
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


class RetentionJob:
    """Removes what is too old, once an hour of the clock."""

    def __init__(self, *, store: Store, clock: Clock, settings: RetentionSettings, pause: float = PAUSE) -> None:
        """`pause`: seconds at least between two transactions; 0: none at all."""
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
        """Remove everything that is too old now, in small transactions."""
        now = self._clock.now()
        try:
            for kind, days in self._ages.items():
                await self._sweep(kind, now - days * DAY_MS)
        except StoreUnavailable as error:
            log.warning("retention_put_off", reason=str(error))

    async def _sweep(self, kind: Sweep, before: int) -> None:
        beyond: SweepPosition | None = BEGINNING
        while beyond is not None:
            began = time.monotonic()
            beyond = await self._store.retention.sweep(kind, before=before, beyond=beyond)
            if self._pause and beyond is not None:
                took = time.monotonic() - began
                await asyncio.sleep(min(max(self._pause, took * REST), LONGEST_PAUSE))
