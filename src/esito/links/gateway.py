"""The links of this process at work: deliveries go to what keeps them, responses to the submitter of their link."""

import asyncio
from collections.abc import Callable, Iterable, Sequence

from esito import metrics
from esito.links.availability import Availability
from esito.links.interface import FINISH_WITHIN, DeliveryKeeper, Link, LinkSubmitter
from esito.links.lease_keeper import HeldLease
from esito.links.smpp_link import SmppLink
from esito.smpp.pdu import DataSm, DeliverSm
from esito.smpp.responses import SubmitResponse

HAND_ON_WITHIN = 3.0
"""Seconds that open responses get once another process has taken a link over: it cannot bind while we are bound."""

Made = tuple[SmppLink, LinkSubmitter]


class Gateway:
    """All links of this process; links report to it (`LinkEvents`)."""

    def __init__(self, receiving: DeliveryKeeper) -> None:
        self._receiving = receiving
        self._make: dict[str, Callable[[], Made]] = {}
        self._made: dict[str, Made] = {}
        self._used: set[str] = set()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._stopping: dict[str, asyncio.Task[None]] = {}
        self.availability = Availability()
        self.disabled: frozenset[str] = frozenset()
        """Links whose place others take at once."""

    def passed_over(self) -> frozenset[str]:
        """Return the unusable links, ours and those of other processes: others take their place."""
        for name in self._tasks:
            self.availability.note(name, is_usable=self._made[name][0].usable)
        return self.availability.passed_over() | self.disabled

    def of_others(self) -> list[str]:
        """Return the links that this process does not run."""
        return [name for name in self._made if name not in self._tasks]

    def add(self, name: str, make: Callable[[], Made]) -> None:
        """Register a link, or replace one that is stopped; every start after the first builds a new link."""
        self._make[name] = make
        self._made[name] = make()
        self._used.discard(name)
        self.availability.note(name, is_usable=False)  # until it is bound

    def revise(self, name: str, make: Callable[[], Made]) -> LinkSubmitter | None:
        """Build a link so from its next start on; return its submitter if it is running, which goes on."""
        self._make[name] = make
        self._used.add(name)
        return self._made[name][1] if name in self._tasks else None

    def forget(self, name: str) -> None:
        """Drop a link that is stopped."""
        self._make.pop(name, None)
        self._made.pop(name, None)
        self._used.discard(name)
        self.availability.forget(name)
        metrics.link_gone(name)

    @property
    def links(self) -> Iterable[SmppLink]:
        """Every link, in the order of the configuration."""
        return [link for link, _ in self._made.values()]

    @property
    def running(self) -> Iterable[SmppLink]:
        """The links that this process has started."""
        return [link for name, (link, _) in self._made.items() if name in self._tasks]

    async def start(self) -> None:
        """Bind every link and begin to submit."""
        for name in self._made:
            await self.start_link(name)

    async def stop(self) -> None:
        """Stop every link."""
        await asyncio.gather(*(self.stop_link(name) for name in list(self._tasks)))

    async def start_link(self, name: str, held: HeldLease | None = None) -> None:
        """Bind one link and begin to submit, under a lease if there is one."""
        if name in self._used:
            self._made[name] = self._make[name]()
        self._used.add(name)
        link, submitter = self._made[name]
        submitter.held = held
        await link.start()
        self._tasks[name] = asyncio.get_running_loop().create_task(submitter.run(), name=f"submit-{name}")

    async def stop_link(self, name: str, *, patience: float | None = None, why: str = "the server stops") -> None:
        """Submit nothing more by one link, wait for its open responses, unbind, and keep every answer that came.

        `patience`: seconds to wait for responses; None: as in the link's settings. `why`: for the log. Cancelling the
        caller does not interrupt it.
        """
        if name in self._tasks:
            stopping = self._stop_link(name, self._tasks.pop(name), patience, why)
            self._stopping[name] = asyncio.get_running_loop().create_task(stopping, name=f"stop-{name}")
            self._stopping[name].add_done_callback(lambda _: self._stopping.pop(name))
        if name in self._stopping:
            await asyncio.shield(self._stopping[name])

    async def _stop_link(self, name: str, task: asyncio.Task[None], patience: float | None, why: str) -> None:
        link, submitter = self._made[name]
        submitter.stop()
        await asyncio.wait({task}, timeout=FINISH_WITHIN)
        task.cancel()  # the store does not answer: what it claims now is uncertain, as after a crash
        await asyncio.gather(task, return_exceptions=True)
        await link.stop(patience, why=why)
        await submitter.finish()
        metrics.link_state(name, sending=False, receiving=False, refused=False, unanswered=False)

    def wake(self) -> None:
        """Have every link look for work: something was accepted."""
        for _, submitter in self._made.values():
            submitter.wake()

    # -- LinkEvents -------------------------------------------------------------------------

    def submitted(self, link: str, responses: list[SubmitResponse]) -> None:
        """Pass the responses to submit_sm to the submitter of the link."""
        if link in self._made:  # else the link is gone, and what it left was settled
            self._made[link][1].submitted(responses)

    async def delivered(self, link: str, pdus: Sequence[DeliverSm | DataSm]) -> list[int]:
        """Keep what the SMSC delivered, after every answer that came before; return the status of each response."""
        for _, submitter in self._made.values():  # of all links: an operator may report over another one
            submitter.hand_over()
        return await self._receiving.keep(link, pdus)

    def changed(self, link: Link) -> None:
        """Publish what the link can do now, and let it look for work."""
        if link.name not in self._made:  # the link is gone
            return
        metrics.link_state(
            link.name,
            sending=link.can_send,
            receiving=link.can_receive,
            refused=link.refused,
            unanswered=link.unanswering,
        )
        self._made[link.name][1].wake()
