"""Expiring: after 48 hours without a final word we stop waiting (contract 1.5)."""

import asyncio

import structlog

from esito.clockwork import sleep_until
from esito.domain.errors import StoreUnavailable
from esito.domain.timing import Clock
from esito.store.base import Store

log = structlog.get_logger()

LOOK_EVERY_MS = 1_000
MESSAGES_AT_ONCE = 200


class Expiry:
    """Looks, once a second of the clock, for messages whose time has come."""

    def __init__(self, *, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self.look()
            await sleep_until(self._clock, self._clock.now() + LOOK_EVERY_MS)

    async def look(self) -> None:
        """Conclude everything that is due now, a few hundred messages to a transaction."""
        try:
            while await self._store.expire(self._clock.now(), limit=MESSAGES_AT_ONCE) == MESSAGES_AT_ONCE:
                await asyncio.sleep(0)
        except StoreUnavailable as error:
            log.warning("expiry_put_off", reason=str(error))
