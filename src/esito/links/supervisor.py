"""Keeps the running links as the settings want them, while the process runs.

Each wanted link has one task. It starts the link, waits until something else is wanted, stops it as at shutdown
(claims end, open responses are awaited, then unbind), and starts what is wanted then. So a change touches only the link
it is about, and two sessions of a link never overlap. Processes that share a store run a link under a lease; whoever
gets the lease first looks at what is wanted by now.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import NamedTuple

import structlog

from esito.domain.errors import StoreError
from esito.domain.timing import Clock
from esito.links.availability import watch_others
from esito.links.gateway import HAND_ON_WITHIN, Gateway, Made
from esito.links.lease_keeper import HeldLease, LeaseKeeper
from esito.links.link_interface import LinkSubmitter
from esito.links.smpp_link import SmppLink
from esito.store.interface.store import Store

log = structlog.get_logger()

AGAIN_AFTER = 1.0
"""Seconds after which a link that could not be started is tried again."""


LEASE_LOST = "the lease of the link is lost"
"""For the log: why a link was stopped that other processes may start."""


class LinkPlan(NamedTuple):
    """How a link is wanted."""

    key: object
    """A different key needs a new bind."""
    make: Callable[[], Made]
    revise: Callable[[LinkSubmitter], None]
    """Applies to a running link what may change while it is bound."""


async def _nothing() -> None:
    pass


class LinkSupervisor:
    """Runs the links that are wanted, each under a lease if the store is shared."""

    def __init__(
        self,
        gateway: Gateway,
        store: Store,
        clock: Clock,
        *,
        keeper: LeaseKeeper | None = None,
        status: Callable[[SmppLink], str] = lambda _link: "",
        refresh: Callable[[], Awaitable[None]] = _nothing,
    ) -> None:
        """`keeper` holds the leases, `status` is what they publish of a link, `refresh` looks up what is wanted.

        `refresh` may raise StoreError.
        """
        self._gateway = gateway
        self._store = store
        self._clock = clock
        self._keeper = keeper
        self._status = status
        self._refresh = refresh
        self._wanted: dict[str, LinkPlan] = {}
        self._changed: dict[str, asyncio.Event] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._as_made: dict[str, object] = {}
        self._stopping = False

    def want(self, wanted: Mapping[str, LinkPlan]) -> None:
        """Run these links and no others from now on; return at once."""
        if self._stopping:
            return
        self._wanted = dict(wanted)
        for name, one in wanted.items():
            if name not in self._tasks:
                self._gateway.add(name, one.make)
                self._tasks[name] = asyncio.get_running_loop().create_task(self._run(name, one), name=f"link-{name}")
            elif self._as_made.get(name) == one.key:
                submitter = self._gateway.revise(name, one.make)
                if submitter is not None:
                    one.revise(submitter)
        for event in self._changed.values():
            event.set()

    async def watch(self) -> None:
        """Note which links of other processes are unusable, until cancelled."""
        await watch_others(self._gateway.availability, self._store, self._gateway.of_others)

    async def stop(self) -> None:
        """Stop every link, and start none again."""
        self._stopping = True
        self._wanted = {}
        for event in self._changed.values():
            event.set()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _run(self, name: str, made: LinkPlan | None) -> None:
        """Keep one link as it is wanted, until it is no longer wanted; `made`: as it was built."""
        self._changed[name] = asyncio.Event()
        while (wanted := self._wanted.get(name)) is not None:
            try:
                if made is not wanted:
                    self._gateway.add(name, wanted.make)
                made, self._as_made[name] = None, wanted.key
                await (self._alone(name, wanted) if self._keeper is None else self._leased(name, wanted, self._keeper))
            except Exception:  # whatever is wrong with one link, it is tried again, and the others run on
                log.exception("link_not_taken_up", link=name)
                await asyncio.sleep(AGAIN_AFTER)
        if not self._stopping:
            self._gateway.forget(name)
        del self._changed[name], self._tasks[name]
        self._as_made.pop(name, None)

    async def _until_changed(self, name: str, wanted: LinkPlan) -> None:
        while (now := self._wanted.get(name)) is not None and now.key == wanted.key:
            self._changed[name].clear()
            await self._changed[name].wait()

    async def _alone(self, name: str, wanted: LinkPlan) -> None:
        """Run a link that no other process can run."""
        await self._gateway.start_link(name)
        await self._until_changed(name, wanted)
        await self._gateway.stop_link(name, why=self._why(name))
        await self._settle_what_was_left(name)

    def _why(self, name: str) -> str:
        """Say why a link is stopped now."""
        if self._stopping:
            return "the server stops"
        return "the link is changed" if name in self._wanted else "the link is disabled or removed"

    async def _settle_what_was_left(self, name: str) -> None:
        """Settle every segment that was claimed or written and got no answer."""
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

    async def _leased(self, name: str, wanted: LinkPlan, keeper: LeaseKeeper) -> None:
        """Run a link while we hold its lease."""

        async def start(held: HeldLease) -> None:
            await self._refresh()
            now = self._wanted.get(name)
            if now is None or now.key != wanted.key:
                return  # `_until_changed` has ended, and the lease is given back at once
            uncertain = await self._store.recover(self._clock.now(), link=name, lease=held.lease)
            if uncertain:
                log.warning("segments_uncertain", link=name, count=uncertain, reason="whoever had the link is gone")
            await self._gateway.start_link(name, held)

        def status() -> str:
            mine = (link for link in self._gateway.running if link.name == name)
            return next(map(self._status, mine), "")

        # Giving a link up by ourselves takes its time; here another process already waits for it.
        stop = partial(self._gateway.stop_link, name, patience=HAND_ON_WITHIN, why=LEASE_LOST)
        holding = asyncio.get_running_loop().create_task(
            keeper.hold(f"link:{name}", start=start, stop=stop, status=status), name=f"hold-{name}"
        )
        waiting = asyncio.get_running_loop().create_task(self._until_changed(name, wanted))
        try:
            await asyncio.wait({holding, waiting}, return_when=asyncio.FIRST_COMPLETED)
            # The lease is still renewed meanwhile.
            await self._gateway.stop_link(name, why=LEASE_LOST if holding.done() else self._why(name))
        finally:
            for task in (holding, waiting):
                task.cancel()  # the lease is given back
            await asyncio.gather(holding, waiting, return_exceptions=True)
            await self._gateway.stop_link(name)
        if holding.done() and not holding.cancelled() and (error := holding.exception()) is not None:
            raise error
