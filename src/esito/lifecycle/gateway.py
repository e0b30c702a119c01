"""The links at work: what an SMSC sends goes to `receive`, what it answers to `submit`."""

import asyncio
from collections.abc import Callable, Iterable, Sequence

from esito import metrics
from esito.lifecycle.health import Health, usable
from esito.lifecycle.holding import Held
from esito.lifecycle.receive import Receiving
from esito.lifecycle.submit import FINISH_WITHIN, Submitter
from esito.smpp.link import Link, SubmitOutcome
from esito.smpp.pdu import DataSm, DeliverSm

HAND_ON_WITHIN = 3.0
"""Seconds that responses have when another process has taken a link over: it cannot bind while we are bound."""

Made = tuple[Link, Submitter]


class Gateway:
    """All links of this process; it is what a link tells its events to."""

    def __init__(self, receiving: Receiving) -> None:
        self._receiving = receiving
        self._make: dict[str, Callable[[], Made]] = {}
        self._made: dict[str, Made] = {}
        self._used: set[str] = set()
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._leaving: dict[str, asyncio.Task[None]] = {}
        self.health = Health()
        self.disabled: frozenset[str] = frozenset()
        """Links whose place others take at once."""

    def passed_over(self) -> frozenset[str]:
        """Return the links that are unusable, ours and those of other processes: others take their place."""
        for name in self._tasks:
            self.health.note(name, is_usable=usable(self._made[name][0]))
        return self.health.passed_over() | self.disabled

    def of_others(self) -> list[str]:
        """Return the links that this process does not hold."""
        return [name for name in self._made if name not in self._tasks]

    def add(self, name: str, make: Callable[[], Made]) -> None:
        """Have a link, or another one in its place once it is laid down; it is made anew when it is taken up again."""
        self._make[name] = make
        self._made[name] = make()
        self._used.discard(name)
        self.health.note(name, is_usable=False)  # until it is bound

    def revise(self, name: str, make: Callable[[], Made]) -> Submitter | None:
        """Make a link so from now on; return what submits by it where it is at work, which goes on."""
        self._make[name] = make
        self._used.add(name)
        return self._made[name][1] if name in self._tasks else None

    def forget(self, name: str) -> None:
        """Have a link no more that was laid down."""
        self._make.pop(name, None)
        self._made.pop(name, None)
        self._used.discard(name)
        self.health.forget(name)
        metrics.link_gone(name)

    @property
    def links(self) -> Iterable[Link]:
        """Every link, in the order of the configuration."""
        return [link for link, _ in self._made.values()]

    @property
    def at_work(self) -> Iterable[Link]:
        """The links that this process has taken up."""
        return [link for name, (link, _) in self._made.items() if name in self._tasks]

    async def start(self) -> None:
        """Bind every link and begin to submit."""
        for name in self._made:
            await self.take_up(name)

    async def stop(self) -> None:
        """Submit nothing more, unbind, and keep every answer that came."""
        await asyncio.gather(*(self.lay_down(name) for name in list(self._tasks)))

    async def take_up(self, name: str, held: Held | None = None) -> None:
        """Bind one link and begin to submit, under a lease where there is one."""
        if name in self._used:
            self._made[name] = self._make[name]()
        self._used.add(name)
        link, submitter = self._made[name]
        submitter.held = held
        await link.start()
        self._tasks[name] = asyncio.get_running_loop().create_task(submitter.run(), name=f"submit-{name}")

    async def lay_down(self, name: str, *, patience: float | None = None, why: str = "the server stops") -> None:
        """Submit nothing more by one link, wait for the responses it is owed, unbind, and keep every answer that came.

        `patience`: seconds we wait for responses; those of the link's settings when it is not given. `why`: as the log
        has it. It goes on to its end though whoever waits for it is cancelled.
        """
        if name in self._tasks:
            leaving = self._lay_down(name, self._tasks.pop(name), patience, why)
            self._leaving[name] = asyncio.get_running_loop().create_task(leaving, name=f"lay-down-{name}")
            self._leaving[name].add_done_callback(lambda _: self._leaving.pop(name))
        if name in self._leaving:
            await asyncio.shield(self._leaving[name])

    async def _lay_down(self, name: str, task: asyncio.Task[None], patience: float | None, why: str) -> None:
        link, submitter = self._made[name]
        submitter.stop()
        await asyncio.wait({task}, timeout=FINISH_WITHIN)
        task.cancel()  # of a store that does not answer: what it claims now is uncertain, as after a crash
        await asyncio.gather(task, return_exceptions=True)
        await link.stop(patience, why=why)
        await submitter.finish()
        metrics.link_state(name, sending=False, receiving=False, refused=False, unanswered=False)

    def wake(self) -> None:
        """Something was accepted: every link looks for work."""
        for _, submitter in self._made.values():
            submitter.wake()

    # -- what a link tells us ---------------------------------------------------------------

    def submitted(self, link: Link, outcomes: list[SubmitOutcome]) -> None:
        """Take the answers to submit_sm."""
        if link.settings.name in self._made:  # else it is gone, and what it left was settled
            self._made[link.settings.name][1].submitted(outcomes)

    async def delivered(self, link: Link, pdus: Sequence[DeliverSm | DataSm]) -> list[int]:
        """Keep what the SMSC delivered, after every answer that came before; return the status of each response."""
        for _, submitter in self._made.values():  # of all links: an operator may report over another one
            submitter.hand_over()
        return await self._receiving.keep(link.settings.name, pdus)

    def changed(self, link: Link) -> None:
        """Note what the link is able to do now."""
        name = link.settings.name
        if name not in self._made:  # it is gone, and what was to be told is told
            return
        metrics.link_state(
            name,
            sending=link.can_send,
            receiving=link.can_receive,
            refused=link.refused,
            unanswered=link.unanswering,
        )
        self._made[name][1].wake()
