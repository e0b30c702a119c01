"""Leases: what only one process may do, done for as long as the lease is ours.

A process that dies stops renewing; another takes over within `LEASE_SECONDS` and one look. A process that was
suspended finds its lease gone: the store refuses whatever it still tries under it, and it stops the work.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog

from esito.domain.errors import StoreError
from esito.store.interface.link_store import Lease
from esito.store.interface.store import Store

log = structlog.get_logger()

LEASE_SECONDS = 6.0
RENEW_EVERY = 2.0
LOOK_EVERY = 1.0
"""Seconds between tries to take a lease that another process holds."""

STEP_BACK = 0.3
"""Seconds, for each lease held already, by which a process lets others go first."""


class HeldLease:
    """A lease of ours, and for how long it is surely ours."""

    def __init__(self, lease: Lease, since: float) -> None:
        self.lease = lease
        self._until = since + LEASE_SECONDS

    def extended(self, since: float) -> None:
        """Note a renewal that was requested at this instant."""
        self._until = since + LEASE_SECONDS

    @property
    def fresh(self) -> bool:
        """Whether no other process can have taken it yet; the clock runs on while a process is suspended."""
        return time.monotonic() < self._until


@dataclass(slots=True)
class LeaseKeeper:
    """Takes and renews leases for this process, under one name."""

    store: Store
    name: str
    count: int = 0
    """Leases held now."""

    async def hold(
        self,
        name: str,
        *,
        start: Callable[[HeldLease], Awaitable[None]],
        stop: Callable[[], Awaitable[None]],
        status: Callable[[], str] = lambda: "",
    ) -> None:
        """Take a lease whenever it is free, and work under it while it is ours; until cancelled.

        `start` begins the work and `stop` ends it; `status` is published with each renewal.
        """
        while True:
            held = await self._take(name)
            log.info("taken", lease=name, token=held.lease.token, holder=self.name)
            self.count += 1
            try:
                await start(held)
                await self._renew(held, status)
            except StoreError as error:
                log.warning("laid_down", lease=name, reason=str(error))
            finally:
                self.count -= 1
                await asyncio.shield(self._give_back(held, stop))

    async def _take(self, name: str) -> HeldLease:
        while True:
            await asyncio.sleep(STEP_BACK * self.count)
            since = time.monotonic()
            try:
                lease = await self.store.leases.take(name, self.name, seconds=LEASE_SECONDS)
            except StoreError as error:
                log.warning("lease_not_asked", lease=name, reason=str(error))
                lease = None
            if lease is not None:
                return HeldLease(lease, since)
            await asyncio.sleep(LOOK_EVERY)

    async def _renew(self, held: HeldLease, status: Callable[[], str]) -> None:
        """Renew until another process has it. While the store does not answer, none can take it."""
        while True:
            since = time.monotonic()
            try:
                if not await self.store.leases.renew(held.lease, seconds=LEASE_SECONDS, told=status()):
                    log.warning("lease_lost", lease=held.lease.name, holder=self.name)
                    return
                held.extended(since)
            except StoreError as error:
                log.warning("lease_not_renewed", lease=held.lease.name, reason=str(error))
            await asyncio.sleep(RENEW_EVERY)

    async def _give_back(self, held: HeldLease, stop: Callable[[], Awaitable[None]]) -> None:
        await stop()
        try:
            await self.store.leases.give_back(held.lease)
        except StoreError as error:
            log.warning("lease_not_given_back", lease=held.lease.name, reason=str(error))
