"""What a link is to those above it, and what they are to a link.

A link is one way to an operator. Everything here is a promise: `SmppLink` keeps that of `Link`, `Gateway` that of
`LinkEvents`, and the modules of `lifecycle` those of `LinkSubmitter` and `DeliveryKeeper`.
"""

from collections.abc import Sequence
from datetime import tzinfo
from typing import Protocol

from esito.links.lease_keeper import HeldLease
from esito.smpp.outgoing import OutgoingSettings
from esito.smpp.pdu import DataSm, DeliverSm
from esito.smpp.responses import SubmitResponse

FINISH_WITHIN = 5.0
"""Seconds that a stopping link gives the store to take the last answers."""


class Link(Protocol):
    """One way to an operator."""

    @property
    def name(self) -> str:
        """The name in the settings."""

    @property
    def can_send(self) -> bool:
        """Whether it can submit now."""

    @property
    def can_receive(self) -> bool:
        """Whether receipts and replies can come by it now."""

    @property
    def refused(self) -> bool:
        """Whether the operator refuses us, for a reason that somebody must remove."""

    @property
    def unanswering(self) -> bool:
        """Whether the operator is connected and answers no submission."""

    @property
    def usable(self) -> bool:
        """Whether segments should leave by it, rather than by another link that serves the same numbers."""

    @property
    def troubles(self) -> list[str]:
        """What somebody should look at, a sentence each."""

    async def start(self) -> None:
        """Connect, and stay connected until stopped; return at once."""

    async def stop(self, patience: float | None = None, *, why: str = "the server stops") -> None:
        """Submit nothing more, wait for open responses, and disconnect.

        `patience`: seconds for all of it; None: as in the settings. `why`: for the log.
        """


class LinkEvents(Protocol):
    """Who a link reports to."""

    def submitted(self, link: str, responses: list[SubmitResponse]) -> None:
        """Take the responses of one read, in order."""

    async def delivered(self, link: str, pdus: Sequence[DeliverSm | DataSm]) -> list[int]:
        """Keep what the operator delivered; return the command_status of each response, after the commit."""

    def changed(self, link: Link) -> None:
        """Note that it was bound or lost, or can take more."""


class LinkSubmitter(Protocol):
    """What submits by one link."""

    held: HeldLease | None
    """The lease under which it submits; None if no other process can."""

    async def run(self) -> None:
        """Submit until stopped."""

    def wake(self) -> None:
        """Look for work now."""

    def stop(self) -> None:
        """Submit nothing more; `run` returns soon."""

    def revise(self, outgoing: OutgoingSettings, zone: tzinfo, *, asks: bool) -> None:
        """Use these settings from now on; they need no new bind.

        `zone`: of dates in answers to query_sm. `asks`: whether query_sm is sent at all.
        """

    def submitted(self, responses: Sequence[SubmitResponse]) -> None:
        """Take the operator's responses."""

    def hand_over(self) -> None:
        """Put every answer that came into the store's queue, ahead of what is put there next."""

    async def finish(self) -> None:
        """Return once every answer that came is kept, or after `FINISH_WITHIN`."""


class DeliveryKeeper(Protocol):
    """What keeps receipts and replies."""

    async def keep(self, link: str, pdus: Sequence[DeliverSm | DataSm]) -> list[int]:
        """Keep what a link delivered; return the command_status of each response."""
