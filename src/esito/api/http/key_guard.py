"""Slows down guessing: wrong keys of one address are answered ever later, and refused unread beyond a limit.

A good key is never slowed, whatever others behind the same address do.
"""

import asyncio

from esito.api.http.client_address import Address, customer
from esito.domain.errors import TooManyRequests
from esito.domain.rate_limit import Limiter, Rate
from esito.domain.timing import MINUTE_MS, SECOND_MS, Clock

AT_ONCE = 5
"""Wrong keys that are answered without delay: people mistype."""

STEP, LONGEST = 0.1, 1.0
"""Seconds: each further one is delayed by one step more, up to the longest delay."""


class KeyGuard:
    """Counts wrong keys by address."""

    def __init__(self, clock: Clock, *, per_minute: int) -> None:
        self._clock = clock
        self._per_minute = per_minute
        self._limiter = Limiter(Rate(max(per_minute, 1), MINUTE_MS))

    async def wrong_key(self, address: Address | None) -> None:
        """Count a wrong key, and delay its answer. Raises TooManyRequests."""
        if address is None or not self._per_minute:
            return
        name, now = customer(address), self._clock.now()
        wait = self._limiter.wait_ms(name, now)
        if wait:
            raise TooManyRequests(-(-wait // SECOND_MS))
        tried = self._per_minute - self._limiter.left(name, now)
        if tried > AT_ONCE:
            await asyncio.sleep(min(LONGEST, STEP * (tried - AT_ONCE)))
