"""Expiring: 48 hours after the submission without a final word we stop waiting (contract 1.5)."""

import asyncio

import structlog

from esito.clockwork import sleep_until
from esito.domain.errors import StoreUnavailable
from esito.domain.timing import Clock
from esito.store.interface.store import Store

log = structlog.get_logger()

LOOK_EVERY_MS = 1_000
"""Of the clock of messages, which may be pushed."""

PAUSE = 0.02
"""Seconds between two transactions, in which receipts and sends have the store to themselves."""


class ExpiryJob:
    """Expires what is due, once a second of the clock."""

    def __init__(self, *, store: Store, clock: Clock, pause: float = PAUSE) -> None:
        self._store = store
        self._clock = clock
        self._pause = pause

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self.look()
            await sleep_until(self._clock, self._clock.now() + LOOK_EVERY_MS)

    async def look(self) -> None:
        """Expire everything that is due now, a few hundred recipients to a transaction."""
        try:
            while await self._store.expire(self._clock.now()):
                await asyncio.sleep(self._pause)
        except StoreUnavailable as error:
            log.warning("expiry_put_off", reason=str(error))
