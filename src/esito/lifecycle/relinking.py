"""Keeping the links at work as they are wanted, while the process runs.

For each link that is wanted there is one task. It takes the link up, waits until something else is wanted, lays it
down as at a stop (claims end, open responses are awaited, then unbind), and takes up what is wanted now. So a change
touches the one link that it is about, and no two sessions of a link overlap. Where several processes share the store,
a link is worked on under a lease; whoever is given one looks first at what is wanted by now.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import NamedTuple

import structlog

from esito.domain.errors import StoreError
from esito.domain.timing import Clock
from esito.lifecycle.gateway import HAND_ON_WITHIN, Gateway, Made
from esito.lifecycle.health import watch_others
from esito.lifecycle.holding import Held, Holder
from esito.lifecycle.submit import Submitter
from esito.smpp.link import Link
from esito.store.base import Store

log = structlog.get_logger()

AGAIN_AFTER = 1.0
"""Seconds after which a link that could not be taken up is tried again."""


LEASE_LOST = "the lease of the link is lost"
"""Why a link was left that other processes may take up, as the log has it."""


class Wanted(NamedTuple):
    """How a link is to be."""

    key: object
    """Another one means that the link is to be bound anew."""
    make: Callable[[], Made]
    revise: Callable[[Submitter], None]
    """Brings a link at work up to what may change while it is bound."""


async def _nothing() -> None:
    pass


class Relinking:
    """Works on the links that are wanted, each under a lease where the store is shared."""

    def __init__(
        self,
        gateway: Gateway,
        store: Store,
        clock: Clock,
        *,
        holder: Holder | None = None,
        tell: Callable[[Link], str] = lambda _link: "",
        look: Callable[[], Awaitable[None]] = _nothing,
    ) -> None:
        """`holder` has the leases, `tell` says for others how a link of ours stands, `look` asks what is wanted by now.

        `look` may raise StoreError.
        """
        self._gateway = gateway
        self._store = store
        self._clock = clock
        self._holder = holder
        self._tell = tell
        self._look = look
        self._wanted: dict[str, Wanted] = {}
        self._changed: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._as_made: dict[str, object] = {}
        self._stopping = False

    def want(self, wanted: Mapping[str, Wanted]) -> None:
        """Have these links and no others, from now on; return at once."""
        if self._stopping:
            return
        self._wanted = dict(wanted)
        for name, one in wanted.items():
            if name not in self._tasks:
                self._gateway.add(name, one.make)
                self._tasks[name] = asyncio.get_running_loop().create_task(self._care(name, one), name=f"link-{name}")
            elif self._as_made.get(name) == one.key:
                submitter = self._gateway.revise(name, one.make)
                if submitter is not None:
                    one.revise(submitter)
        for event in self._changed.values():
            event.set()

    async def watch(self) -> None:
        """Take note, until cancelled, of the links that other processes hold."""
        await watch_others(self._gateway.health, self._store, self._gateway.of_others)

    async def stop(self) -> None:
        """Lay every link down, and let nobody take one up again."""
        self._stopping = True
        self._wanted = {}
        for event in self._changed.values():
            event.set()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _care(self, name: str, made: Wanted | None) -> None:
        """Keep one link as it is wanted, until it is not wanted any more; it was `made` so."""
        self._changed[name] = asyncio.Event()
        while (wanted := self._wanted.get(name)) is not None:
            try:
                if made is not wanted:
                    self._gateway.add(name, wanted.make)
                made, self._as_made[name] = None, wanted.key
                await (self._work(name, wanted) if self._holder is None else self._share(name, wanted, self._holder))
            except Exception:  # whatever is wrong with one link, it is tried again, and the others work on
                log.exception("link_not_taken_up", link=name)
                await asyncio.sleep(AGAIN_AFTER)
        if not self._stopping:
            self._gateway.forget(name)
        del self._changed[name], self._tasks[name]
        self._as_made.pop(name, None)

    async def _until_changed(self, name: str, wanted: Wanted) -> None:
        while (now := self._wanted.get(name)) is not None and now.key == wanted.key:
            self._changed[name].clear()
            await self._changed[name].wait()

    async def _work(self, name: str, wanted: Wanted) -> None:
        await self._gateway.take_up(name)
        await self._until_changed(name, wanted)
        await self._gateway.lay_down(name, why=self._why(name))
        await self._settle_what_was_left(name)

    def _why(self, name: str) -> str:
        """Say why a link is laid down now."""
        if self._stopping:
            return "the server stops"
        return "the link is changed" if name in self._wanted else "the link is disabled or removed"

    async def _settle_what_was_left(self, name: str) -> None:
        """Let no segment be forgotten that was written, or just claimed, and never answered."""
        while not self._stopping:  # the next start does it
            try:
                uncertain = await self._store.recover(self._clock.now(), link=name)
            except StoreError as error:
                log.warning("link_not_settled", link=name, reason=str(error))
                await asyncio.sleep(AGAIN_AFTER)
            else:
                if uncertain:
                    log.warning("segments_uncertain", link=name, count=uncertain, reason="the link was laid down")
                return

    async def _share(self, name: str, wanted: Wanted, holder: Holder) -> None:
        """Work on a link whenever no other process holds it."""

        async def take_up(held: Held) -> None:
            await self._look()
            now = self._wanted.get(name)
            if now is None or now.key != wanted.key:
                return  # and leave it at once: `_until_changed` has ended
            uncertain = await self._store.recover(self._clock.now(), link=name, lease=held.lease)
            if uncertain:
                log.warning("segments_uncertain", link=name, count=uncertain, reason="whoever had the link is gone")
            await self._gateway.take_up(name, held)

        def told() -> str:
            mine = (link for link in self._gateway.at_work if link.settings.name == name)
            return next(map(self._tell, mine), "")

        # Before we give a link up it is laid down in peace; here another process waits for it.
        lay_down = partial(self._gateway.lay_down, name, patience=HAND_ON_WITHIN, why=LEASE_LOST)
        holding = asyncio.get_running_loop().create_task(
            holder.hold(f"link:{name}", take_up=take_up, lay_down=lay_down, tell=told), name=f"hold-{name}"
        )
        waiting = asyncio.get_running_loop().create_task(self._until_changed(name, wanted))
        try:
            await asyncio.wait({holding, waiting}, return_when=asyncio.FIRST_COMPLETED)
            # While the lease is still renewed.
            await self._gateway.lay_down(name, why=LEASE_LOST if holding.done() else self._why(name))
        finally:
            for task in (holding, waiting):
                task.cancel()  # the lease is given back
            await asyncio.gather(holding, waiting, return_exceptions=True)
            await self._gateway.lay_down(name)
        if holding.done() and not holding.cancelled() and (error := holding.exception()) is not None:
            raise error
