"""Holding what only one process may do, for as long as the lease is ours.

A process that dies stops renewing, and another takes over within `LEASE_SECONDS` and a look. One that was asleep
finds its lease gone: the store refuses whatever it still tries under it, and it lays the work down.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from esito.domain.errors import StoreError
from esito.store.base import Store
from esito.store.leases import Lease

log = structlog.get_logger()

LEASE_SECONDS = 6.0
RENEW_EVERY = 2.0
LOOK_EVERY = 1.0
"""Seconds between looks whether something that others hold has become free."""

STEP_BACK = 0.3
"""Seconds by which who holds something already lets others go first, for each thing held."""


class Held:
    """A lease of ours, and how far it can be relied on without asking."""

    def __init__(self, lease: Lease, since: float) -> None:
        self.lease = lease
        self._until = since + LEASE_SECONDS

    def extended(self, since: float) -> None:
        """Note a renewal that was asked for at this moment."""
        self._until = since + LEASE_SECONDS

    @property
    def fresh(self) -> bool:
        """Whether nobody else can have taken it yet; the clock goes on while a process is stopped."""
        return time.monotonic() < self._until


@dataclass(slots=True)
class Holder:
    """Who holds: this process, under one name."""

    store: Store
    name: str
    count: int = 0
    """Things held now."""

    async def hold(
        self,
        name: str,
        *,
        take_up: Callable[[Held], Awaitable[None]],
        lay_down: Callable[[], Awaitable[None]],
        tell: Callable[[], str] = lambda: "",
    ) -> None:
        """Take a lease whenever it is free, and work under it while it is ours; until cancelled."""
        while True:
            held = await self._take(name)
            log.info("taken", lease=name, token=held.lease.token, holder=self.name)
            self.count += 1
            try:
                await take_up(held)
                await self._keep(held, tell)
            except StoreError as error:
                log.warning("laid_down", lease=name, reason=str(error))
            finally:
                self.count -= 1
                await asyncio.shield(self._leave(held, lay_down))

    async def _take(self, name: str) -> Held:
        while True:
            await asyncio.sleep(STEP_BACK * self.count)
            since = time.monotonic()
            try:
                lease = await self.store.leases.take(name, self.name, seconds=LEASE_SECONDS)
            except StoreError as error:
                log.warning("lease_not_asked", lease=name, reason=str(error))
                lease = None
            if lease is not None:
                return Held(lease, since)
            await asyncio.sleep(LOOK_EVERY)

    async def _keep(self, held: Held, tell: Callable[[], str]) -> None:
        """Renew until somebody else has it. While the store does not answer nobody can take it either."""
        while True:
            since = time.monotonic()
            try:
                if not await self.store.leases.renew(held.lease, seconds=LEASE_SECONDS, told=tell()):
                    log.warning("lease_lost", lease=held.lease.name, holder=self.name)
                    return
                held.extended(since)
            except StoreError as error:
                log.warning("lease_not_renewed", lease=held.lease.name, reason=str(error))
            await asyncio.sleep(RENEW_EVERY)

    async def _leave(self, held: Held, lay_down: Callable[[], Awaitable[None]]) -> None:
        await lay_down()
        try:
            await self.store.leases.give_back(held.lease)
        except StoreError as error:
            log.warning("lease_not_given_back", lease=held.lease.name, reason=str(error))
