"""One session of a link: it binds to the SMSC, and binds again whenever it is lost, refused or left."""

import asyncio
import time
from functools import partial
from typing import TYPE_CHECKING

import structlog

from esito import metrics
from esito.domain.retrying import Slows
from esito.smpp.bind_refusals import PASSING
from esito.smpp.connect import HostRotation, SmscUnreachable
from esito.smpp.connection import SmppConnection
from esito.smpp.pdu import status_name
from esito.smpp.responses import SubmitResponse

if TYPE_CHECKING:
    from esito.links.smpp_link import SmppLink

log = structlog.get_logger()

STABLE_AFTER = 10.0
"""Seconds a bind must last before its loss is followed by a new bind at once."""

AFTER_REFUSAL = 10.0
"""How many times longer the first pause is after a refused bind than after a lost connection."""


class LinkSession:
    """A session with its state; its connection reports to it (`ConnectionOwner`)."""

    def __init__(self, link: "SmppLink", kind: str) -> None:
        self.kind = kind
        self.state = "connecting"
        self.since = time.time()
        """When it entered the state, in Unix seconds."""
        self.last_error = ""
        self.last_status: int | None = None
        """command_status of the last refused bind; None if the SMSC sent something else."""
        self.suspect = False
        """Whether the last connection was left because of a response to submit_sm: the next tries one at a time."""
        self.refusals = 0
        """Binds refused in a row, for reasons that do not pass by themselves."""
        self.unanswered = 0
        """Connections in a row that were left because no submit_sm was answered."""
        self.connection: SmppConnection | None = None
        self._link = link
        self._hosts = HostRotation()
        self._leaving: set[asyncio.Task[None]] = set()

    @property
    def host(self) -> str:
        """Where it is connected, or was last, as `host:port`."""
        return self._hosts.host

    @property
    def trouble(self) -> str:
        """What somebody should look at, in a sentence; empty if nothing."""
        if self.refusals:
            return f"refused: the SMSC does not let us in ({self.refusals} in a row): {self.last_error}"
        if self.unanswered:
            times = f", {self.unanswered} times in a row" if self.unanswered > 1 else ""
            return f"unanswered: the SMSC is there and answers no submit_sm{times}; one at a time is tried"
        return ""

    def _enter(self, state: str) -> None:
        self.state, self.since = state, time.time()

    # -- staying bound ----------------------------------------------------------------------

    async def run(self) -> None:
        """Stay bound until the link stops."""
        failures = 0
        while not self._link.stopping:
            try:
                lasted = await self._one_connection()
            except Exception:  # a fault in one connection must never leave the link unbound for good
                log.exception("link_failed", link=self._link.name, kind=self.kind)
                lasted = 0.0
            failures = 0 if lasted > STABLE_AFTER else failures + 1
            await asyncio.sleep(self._pause_after(failures))

    def _pause_after(self, failures: int) -> float:
        """Return how long to wait before the next bind: longer each time, as a bind may do harm."""
        settings = self._link.settings
        if self.refusals:
            return self._long_pause(settings.rebind_min * AFTER_REFUSAL, self.refusals)
        if self.unanswered:
            return self._long_pause(settings.rebind_min, self.unanswered)
        return self._short_pause(failures)

    def _long_pause(self, first: float, times: int) -> float:
        """Return a pause that doubles up to minutes, with some jitter."""
        ceiling = min(self._link.settings.rebind_refused_max, first * 2 ** min(times - 1, 20))
        return self._link.random.uniform(ceiling * 0.8, ceiling)

    def _short_pause(self, failures: int) -> float:
        """Return a pause that doubles with each failure, with full jitter so that links do not come back together."""
        settings = self._link.settings
        ceiling = min(settings.rebind_max, settings.rebind_min * 2 ** min(failures, 10))
        return self._link.random.uniform(settings.rebind_min / 2, ceiling)

    async def _one_connection(self) -> float:
        """Connect, stay as long as it lasts, and return how many seconds it was bound."""
        link = self._link
        self._enter("connecting")
        deliver = partial(link.events.delivered, link.name)
        cautious = self.suspect or self.unanswered > 0
        try:
            connection = await self._hosts.connect(
                link.settings, lambda: SmppConnection(link.settings, self.kind, self, deliver, cautious=cautious)
            )
        except SmscUnreachable as error:
            self._note_unreachable(f"cannot connect: {error}")
            return 0.0
        self.connection = connection
        why = await connection.closed
        self.connection = None
        lasted = time.time() - self.since if self.state == "bound" else 0.0
        self._hosts.disconnected(was_stable=lasted > STABLE_AFTER)
        if self.state != "rejected":
            self._enter("lost")
            self.last_error, self.refusals = why, 0
        if connection.unanswering:
            self.unanswered += 1
        if not connection.leaving:
            log.info("link_lost", link=link.name, kind=self.kind, reason=why)
        link.events.changed(link)
        return lasted

    def _note_unreachable(self, reason: str) -> None:
        # A warning once, not at every try of an SMSC that is down for hours.
        say = log.info if self.last_error == reason else log.warning
        self.last_error, self.refusals = reason, 0
        self._enter("lost")
        metrics.LINK_BINDS.labels(self._link.name, "unreachable").inc()
        say("link_unreachable", link=self._link.name, kind=self.kind, reason=reason)

    # -- leaving ----------------------------------------------------------------------------

    async def stop(self, patience: float, why: str) -> None:
        """Unbind if connected."""
        if self.connection is not None:
            await self._leave(self.connection, patience, why)

    async def give_up(self) -> None:
        """Drop whatever it is still doing."""
        for task in self._leaving:
            task.cancel()
        await asyncio.gather(*self._leaving, return_exceptions=True)

    def _bind_anew(self, status: int) -> None:
        """Leave a connection whose submit_sm are refused for its own sake; the next tries one submit_sm first."""
        connection = self.connection
        if connection is None or connection.leaving:
            return
        self.suspect = True
        log.warning("link_binds_anew", link=self._link.name, kind=self.kind, status=status_name(status))
        why = f"bound anew after {status_name(status)}"
        leaving = asyncio.get_running_loop().create_task(
            self._leave(connection, self._link.settings.response_timeout, why)
        )
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)

    async def _leave(self, connection: SmppConnection, patience: float, why: str) -> None:
        """Unbind. The connection is not lost, so the log has another word for it."""
        was_bound = self.state == "bound"
        await connection.unbind(patience, why)
        if was_bound:
            log.info("link_left", link=self._link.name, kind=self.kind, reason=why)

    # -- ConnectionOwner --------------------------------------------------------------------

    def bound(self, connection: SmppConnection) -> None:
        """Note an accepted bind."""
        # A bind response may arrive before create_connection() returns.
        self.connection = connection
        self.last_error, self.last_status, self.refusals = "", None, 0
        self._enter("bound")
        metrics.LINK_BINDS.labels(self._link.name, status_name(0)).inc()
        log.info("link_bound", link=self._link.name, kind=self.kind)
        self._link.events.changed(self._link)

    def rejected(self, status: int | None, reason: str) -> None:
        """Note a refused bind; it is tried again, ever more slowly."""
        self.last_status, self.last_error = status, reason
        self.refusals = 0 if status in PASSING else self.refusals + 1
        self._enter("rejected")
        self._link.events.changed(self._link)
        answer = "another answer" if status is None else status_name(status)
        metrics.LINK_BINDS.labels(self._link.name, answer).inc()
        log.warning("bind_rejected", link=self._link.name, kind=self.kind, reason=reason)

    def answered(self, responses: list[SubmitResponse]) -> None:
        """Slow down or bind anew if the responses ask for it, and pass them on."""
        link = self._link
        if self.unanswered and any(one.status is not None for one in responses):
            self.unanswered = 0
            log.info("submits_answered_again", link=link.name, kind=self.kind)
            link.events.changed(link)
        retries = link.settings.retries
        rules = [(one.status, retries.rule(one.status, nack=one.nack)) for one in responses if one.status]
        passing = [(status, rule) for status, rule in rules if rule is not None]
        slowing = sum(rule.slows is not Slows.NOTHING for _, rule in passing)
        if slowing:
            link.throttled_count += slowing
            metrics.LINK_THROTTLED.labels(link.name).inc(slowing)
        if any(rule.slows is Slows.LINK for _, rule in passing):
            link.slow_down()
        if status := next((status for status, rule in passing if rule.rebind), None):
            self._bind_anew(status)
        elif any(one.status is not None for one in responses):
            self.suspect = False
        link.events.submitted(link.name, responses)

    def eased(self) -> None:
        """Pass on that the peer reads again."""
        self._link.events.changed(self._link)
