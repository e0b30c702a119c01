"""The links at work: what an SMSC sends goes to `receive`, what it answers to `submit`."""

import asyncio
from collections.abc import Iterable, Sequence

import structlog

from esito import metrics
from esito.lifecycle.receive import Receiving
from esito.lifecycle.submit import Submitter
from esito.smpp.link import Link, SubmitOutcome
from esito.smpp.pdu import DataSm, DeliverSm

log = structlog.get_logger()


class Gateway:
    """All links of this process; it is what a link tells its events to."""

    def __init__(self, receiving: Receiving) -> None:
        self._receiving = receiving
        self._links: dict[str, Link] = {}
        self._submitters: dict[str, Submitter] = {}
        self._tasks: list[asyncio.Task[None]] = []

    def add(self, link: Link, submitter: Submitter) -> None:
        """Put a link to work once the gateway starts."""
        self._links[link.settings.name] = link
        self._submitters[link.settings.name] = submitter

    @property
    def links(self) -> Iterable[Link]:
        """Every link, in the order of the configuration."""
        return self._links.values()

    async def start(self) -> None:
        """Bind every link and begin to submit."""
        loop = asyncio.get_running_loop()
        for name, link in self._links.items():
            await link.start()
            self._tasks.append(loop.create_task(self._submitters[name].run(), name=f"submit-{name}"))

    async def stop(self) -> None:
        """Submit nothing more, unbind, and keep every answer that came."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.gather(*(link.stop() for link in self._links.values()))
        await asyncio.gather(*(submitter.finish() for submitter in self._submitters.values()))

    def wake(self) -> None:
        """Something was accepted: every link looks for work."""
        for submitter in self._submitters.values():
            submitter.wake()

    # -- what a link tells us ---------------------------------------------------------------

    def submitted(self, link: Link, outcomes: list[SubmitOutcome]) -> None:
        """Take the answers to submit_sm."""
        self._submitters[link.settings.name].submitted(outcomes)

    async def delivered(self, link: Link, pdus: Sequence[DeliverSm | DataSm]) -> list[int]:
        """Keep what the SMSC delivered; return the status of each response."""
        return await self._receiving.keep(link.settings.name, pdus)

    def changed(self, link: Link) -> None:
        """Note what the link is able to do now."""
        name = link.settings.name
        metrics.link_state(name, sending=link.can_send, receiving=link.can_receive)
        self._submitters[name].wake()
