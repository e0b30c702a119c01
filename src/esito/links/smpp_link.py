"""A link over SMPP: as many sessions with one SMSC as configured, and how much may be submitted over them now."""

import asyncio
import random as random_module
from collections.abc import Sequence

from esito import metrics
from esito.links.interface import LinkEvents
from esito.links.smpp_session import LinkSession
from esito.smpp.codec import LocalProtocolError
from esito.smpp.connect import SmppSettings
from esito.smpp.connection import SmppConnection
from esito.smpp.pdu import QuerySm, SubmitSm
from esito.smpp.throttle import Throttle

KINDS = {
    "transceiver": ("transceiver",),
    "transmitter": ("transmitter",),
    "receiver": ("receiver",),
    "transmitter + receiver": ("transmitter", "receiver"),
}


class SmppLink:
    """All sessions of one configured link."""

    def __init__(
        self, settings: SmppSettings, events: LinkEvents, *, random: random_module.Random | None = None
    ) -> None:
        self.name = settings.name
        self.settings = settings
        self.events = events
        self.random = random or random_module.Random()  # noqa: S311  jitter, not secrets
        self.sessions = [LinkSession(self, kind) for _ in range(settings.sessions) for kind in KINDS[settings.bind]]
        self.throttle = Throttle(settings.throughput)
        self.throttled_count = 0
        self.stopping = False
        self.not_queried = ""
        """Why query_sm is not sent although it should be, in a sentence; set by whoever sends it."""
        self._tasks: list[asyncio.Task[None]] = []
        self._easing: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Begin to bind, and stay bound; return at once."""
        metrics.LINK_WINDOW.labels(self.name).set_function(lambda: self.window_in_use)
        loop = asyncio.get_running_loop()
        self._tasks = [loop.create_task(one.run(), name=f"{self.name}-{one.kind}") for one in self.sessions]

    async def stop(self, patience: float | None = None, *, why: str = "the server stops") -> None:
        """Submit nothing more, wait for open responses, unbind, and close.

        `patience`: seconds for all of it; None: as in the settings. `why`: for the log.
        """
        self.stopping = True
        patience = self.settings.stop_patience if patience is None else patience
        await asyncio.gather(*(one.stop(patience, why) for one in self.sessions))
        if self._easing is not None:
            self._easing.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, *(one.give_up() for one in self.sessions), return_exceptions=True)

    # -- what it can do now -----------------------------------------------------------------

    @property
    def can_send(self) -> bool:
        """Whether a session is bound for transmitting."""
        return any(connection.session.bind.can_send for connection in self._connections())

    @property
    def can_receive(self) -> bool:
        """Whether a session is bound for receiving."""
        return any(connection.session.bind.can_receive for connection in self._connections())

    @property
    def troubles(self) -> list[str]:
        """What somebody should look at, a sentence each, beginning with `refused` or `unanswered`."""
        return list(dict.fromkeys(one.trouble for one in self.sessions if one.trouble))

    @property
    def unanswering(self) -> bool:
        """Whether every session submits one at a time only, as none was answered before."""
        sending = [one for one in self.sessions if one.kind != "receiver"]
        return bool(sending) and all(one.unanswered for one in sending)

    @property
    def refused(self) -> bool:
        """Whether the SMSC refuses a bind, for a reason that does not pass by itself."""
        return any(one.refusals for one in self.sessions)

    @property
    def usable(self) -> bool:
        """Whether segments should leave by this link: it is bound for sending, and not throttled to its floor.

        After a time without responses it is usable for the one submit_sm that is tried, until that is sent.
        """
        trying = self.unanswering and self.window_in_use > 0
        return self.can_send and not trying and not self.throttle.is_at_floor(asyncio.get_running_loop().time())

    @property
    def room(self) -> int:
        """How many submit_sm may be handed over now."""
        if self.stopping:
            return 0
        window = sum(connection.room for connection in self._connections())
        if not window:
            return 0
        now = asyncio.get_running_loop().time()
        allowance = self.throttle.allowance(now)
        if not allowance:
            self._ease_at(self.throttle.next_at(now))
        return min(window, allowance)

    @property
    def window_in_use(self) -> int:
        """Requests that wait for their response, over all sessions."""
        return sum(connection.session.outstanding for connection in self._connections())

    def _connections(self) -> list[SmppConnection]:
        return [session.connection for session in self.sessions if session.connection is not None]

    # -- submitting -------------------------------------------------------------------------

    def submit(self, pdus: Sequence[tuple[SubmitSm | QuerySm, object]]) -> None:
        """Submit PDUs, each with its token; that of a query_sm is a `QueryToken`.

        Raises LocalProtocolError for more than there is room for.
        """
        if len(pdus) > self.room:
            raise LocalProtocolError(f"{len(pdus)} submit_sm handed over, room for {self.room}")
        self.throttle.take(len(pdus), asyncio.get_running_loop().time())
        start = 0
        for connection in sorted(self._connections(), key=lambda one: -one.room):
            share = pdus[start : start + connection.room]
            if share:
                connection.submit(share)
            start += len(share)

    def slow_down(self) -> None:
        """Submit less for a while: the operator throttles."""
        self.throttle.throttled(asyncio.get_running_loop().time())

    def _ease_at(self, instant: float) -> None:
        """Report when the throttle allows more."""
        if self._easing is None:
            self._easing = asyncio.get_running_loop().call_at(instant + 0.001, self._eased)

    def _eased(self) -> None:
        self._easing = None
        self.events.changed(self)
