"""A pushable clock that several processes go by: one pushes, the store remembers by how much, the others follow."""

import asyncio

import structlog

from esito.domain.errors import StoreError
from esito.domain.timing import PushableClock
from esito.store.base import CLOCK_OFFSET, Store

log = structlog.get_logger()

LOOK_EVERY = 0.5


async def catch_up(store: Store, clock: PushableClock) -> None:
    """Push a clock as far as another process has pushed its own. Raises StoreError."""
    behind = await _behind(store, clock)
    if behind > 0:
        clock.advance(behind)


async def follow(store: Store, clock: PushableClock, *, after: float = 0) -> None:
    """Catch up again and again, until cancelled; `after` some seconds, for who must not be the first."""
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
