"""A link: what binds to one SMSC, with as many sessions as configured, and binds again whenever it must."""

import asyncio
import random as random_module
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from esito import metrics
from esito.domain.retrying import Slows
from esito.smpp.codec import LocalProtocolError
from esito.smpp.connection import Connection
from esito.smpp.pace import Pace
from esito.smpp.pdu import DataSm, DeliverSm, QuerySm, SubmitSm, status_name
from esito.smpp.reaching import Reaching, Unreachable
from esito.smpp.refusals import PASSING
from esito.smpp.reports import Answered
from esito.smpp.settings import LinkSettings

log = structlog.get_logger()

SubmitOutcome = Answered
"""What became of a submit_sm: the token it was handed over with, and a command_status; None when nobody knows."""

STABLE_AFTER = 10.0
"""Seconds a bind must last before the next loss is retried at once again."""

AFTER_REFUSAL = 10.0
"""How many times longer than after a lost connection the first pause after a refused bind is."""

KINDS = {
    "transceiver": ("transceiver",),
    "transmitter": ("transmitter",),
    "receiver": ("receiver",),
    "transmitter + receiver": ("transmitter", "receiver"),
}


class LinkEvents(Protocol):
    """Who a link tells what happens."""

    def submitted(self, link: "Link", outcomes: list[SubmitOutcome]) -> None:
        """Take the answers of one read, in order."""

    async def delivered(self, link: "Link", pdus: list[DeliverSm | DataSm]) -> list[int]:
        """Keep what the SMSC delivered; return the command_status of each response, after the commit."""

    def changed(self, link: "Link") -> None:
        """Take note: bound or lost, or there is room again."""


@dataclass(slots=True, kw_only=True)
class Binding:
    """One session of a link, as it is shown."""

    kind: str
    state: str = "connecting"
    since: float = field(default_factory=time.time)
    last_error: str = ""
    last_status: int | None = None
    """command_status of the last refused bind; None too where something else was answered."""
    suspect: bool = False
    """Whether the last connection was left because of what a submit_sm was answered: the next tries one at a time."""
    refusals: int = 0
    """Binds refused in a row, by what does not pass by itself."""
    unanswered: int = 0
    """Connections in a row that were left because no submit_sm was answered."""
    connection: Connection | None = field(default=None, repr=False)
    reaching: Reaching = field(default_factory=Reaching, repr=False)
    """Which host of the SMSC it is at."""

    def enter(self, state: str) -> None:
        """Note a new state."""
        self.state, self.since = state, time.time()

    @property
    def trouble(self) -> str:
        """What somebody should look at, in a sentence; empty when there is nothing."""
        if self.refusals:
            return f"refused: the SMSC does not let us in ({self.refusals} in a row): {self.last_error}"
        if self.unanswered:
            times = f", {self.unanswered} times in a row" if self.unanswered > 1 else ""
            return f"unanswered: the SMSC is there and answers no submit_sm{times}; one at a time is tried"
        return ""


class Link:
    """All sessions of one configured link."""

    def __init__(
        self, settings: LinkSettings, events: LinkEvents, *, random: random_module.Random | None = None
    ) -> None:
        self.settings = settings
        self.bindings = [Binding(kind=kind) for _ in range(settings.sessions) for kind in KINDS[settings.bind]]
        self.pace = Pace(settings.throughput)
        self.throttled_count = 0
        self.not_queried = ""
        """Why the SMSC is asked nothing by query_sm though it is to be, in a sentence; who asks keeps it."""
        self._events = events
        self._random = random or random_module.Random()  # noqa: S311  jitter, not secrets
        self._tasks: list[asyncio.Task[None]] = []
        self._leaving: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._easing: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Begin to bind, and keep bound."""
        metrics.LINK_WINDOW.labels(self.settings.name).set_function(lambda: self.window_in_use)
        loop = asyncio.get_running_loop()
        self._tasks = [
            loop.create_task(self._keep_bound(binding), name=f"{self.settings.name}-{binding.kind}")
            for binding in self.bindings
        ]

    async def stop(self, patience: float | None = None, *, why: str = "the server stops") -> None:
        """Submit nothing more, wait for the responses that are owed, take leave of the SMSC, and close.

        `patience`: seconds for all of it; those of the settings when it is not given. `why`: as the log has it.
        """
        self._stopping = True
        patience = self.settings.stop_patience if patience is None else patience
        await asyncio.gather(
            *(
                self._leave(binding, binding.connection, patience, why)
                for binding in self.bindings
                if binding.connection is not None
            )
        )
        if self._easing is not None:
            self._easing.cancel()
        tasks = [*self._tasks, *self._leaving]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

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
        """What somebody should look at, a sentence each; it begins with `refused` or `unanswered`."""
        return list(dict.fromkeys(one.trouble for one in self.bindings if one.trouble))

    @property
    def unanswering(self) -> bool:
        """Whether no session submits more than one to see whether it is answered: none was before."""
        sending = [one for one in self.bindings if one.kind != "receiver"]
        return bool(sending) and all(one.unanswered for one in sending)

    @property
    def refused(self) -> bool:
        """Whether the SMSC refuses a bind of ours, by what does not pass by itself."""
        return any(one.refusals for one in self.bindings)

    @property
    def room(self) -> int:
        """How many submit_sm may be handed over now."""
        if self._stopping:
            return 0
        window = sum(connection.room for connection in self._connections())
        if not window:
            return 0
        now = asyncio.get_running_loop().time()
        allowance = self.pace.allowance(now)
        if not allowance:
            self._ease_at(self.pace.next_at(now))
        return min(window, allowance)

    @property
    def window_in_use(self) -> int:
        """Requests that wait for their response, over all sessions."""
        return sum(connection.session.outstanding for connection in self._connections())

    def _connections(self) -> list[Connection]:
        return [binding.connection for binding in self.bindings if binding.connection is not None]

    def submit(self, pdus: Sequence[tuple[SubmitSm | QuerySm, object]]) -> None:
        """Hand over submit_sm, or query_sm, with their tokens; that of a query_sm is an `Asked`.

        Raises LocalProtocolError for more than there is room for.
        """
        if len(pdus) > self.room:
            raise LocalProtocolError(f"{len(pdus)} submit_sm handed over, room for {self.room}")
        self.pace.take(len(pdus), asyncio.get_running_loop().time())
        start = 0
        for connection in sorted(self._connections(), key=lambda one: -one.room):
            share = pdus[start : start + connection.room]
            if share:
                connection.submit(share)
            start += len(share)

    def _ease_at(self, instant: float) -> None:
        """Tell the owner when the pace allows more."""
        if self._easing is None:
            self._easing = asyncio.get_running_loop().call_at(instant + 0.001, self._eased)

    def _eased(self) -> None:
        self._easing = None
        self._events.changed(self)

    # -- binding ----------------------------------------------------------------------------

    async def _keep_bound(self, binding: Binding) -> None:
        failures = 0
        while not self._stopping:
            try:
                lasted = await self._one_connection(binding)
            except Exception:  # a fault in one connection must never leave the link unbound for good
                log.exception("link_failed", link=self.settings.name, kind=binding.kind)
                lasted = 0.0
            failures = 0 if lasted > STABLE_AFTER else failures + 1
            await asyncio.sleep(self._pause_after(binding, failures))

    def _pause_after(self, binding: Binding, failures: int) -> float:
        """Return how long to wait before the next bind: ever longer where it would do harm."""
        settings = self.settings
        if binding.refusals:
            return self._long_pause(settings.rebind_min * AFTER_REFUSAL, binding.refusals)
        if binding.unanswered:
            return self._long_pause(settings.rebind_min, binding.unanswered)
        return self._pause(failures)

    def _long_pause(self, first: float, times: int) -> float:
        """Return a pause that doubles to minutes, with some jitter."""
        ceiling = min(self.settings.rebind_refused_max, first * 2 ** min(times - 1, 20))
        return self._random.uniform(ceiling * 0.8, ceiling)

    def _pause(self, failures: int) -> float:
        """Return a pause that doubles with each failure, with full jitter so that links do not come back together."""
        ceiling = min(self.settings.rebind_max, self.settings.rebind_min * 2 ** min(failures, 10))
        return self._random.uniform(self.settings.rebind_min / 2, ceiling)

    async def _one_connection(self, binding: Binding) -> float:
        """Connect, stay as long as it lasts, and return how many seconds it was bound."""
        settings = self.settings
        binding.enter("connecting")
        owner = _Owner(self, binding)
        cautious = binding.suspect or binding.unanswered > 0
        try:
            connection = await binding.reaching.reach(
                settings, lambda: Connection(settings, binding.kind, owner, cautious=cautious)
            )
        except Unreachable as error:
            reason = f"cannot connect: {error}"
            # Said aloud once, not at every try of an SMSC that is down for hours.
            say = log.info if binding.last_error == reason else log.warning
            binding.last_error, binding.refusals = reason, 0
            binding.enter("lost")
            metrics.LINK_BINDS.labels(self.settings.name, "unreachable").inc()
            say("link_unreachable", link=settings.name, kind=binding.kind, reason=reason)
            return 0.0
        binding.connection = connection
        why = await connection.closed
        binding.connection = None
        lasted = time.time() - binding.since if binding.state == "bound" else 0.0
        binding.reaching.left(well=lasted > STABLE_AFTER)
        if binding.state != "rejected":
            binding.enter("lost")
            binding.last_error, binding.refusals = why, 0
        if connection.unanswering:
            binding.unanswered += 1
        if not connection.leaving:
            log.info("link_lost", link=settings.name, kind=binding.kind, reason=why)
        self._events.changed(self)
        return lasted

    # -- what connections report, through their owner ------------------------------------------

    def take_bound(self, binding: Binding, connection: Connection) -> None:
        """Note a bind that was accepted."""
        # The response comes before create_connection has returned to its caller at times.
        binding.connection = connection
        binding.last_error, binding.last_status, binding.refusals = "", None, 0
        binding.enter("bound")
        metrics.LINK_BINDS.labels(self.settings.name, status_name(0)).inc()
        log.info("link_bound", link=self.settings.name, kind=binding.kind)
        self._events.changed(self)

    def take_rejected(self, binding: Binding, status: int | None, reason: str) -> None:
        """Note a bind that was refused; it is tried again, ever more slowly."""
        binding.last_status, binding.last_error = status, reason
        binding.refusals = 0 if status in PASSING else binding.refusals + 1
        binding.enter("rejected")
        self._events.changed(self)
        answer = "another answer" if status is None else status_name(status)
        metrics.LINK_BINDS.labels(self.settings.name, answer).inc()
        log.warning("bind_rejected", link=self.settings.name, kind=binding.kind, reason=reason)

    def take_answers(self, binding: Binding, answers: list[Answered]) -> None:
        """Slow down or bind anew if the answers ask for it, and pass them on."""
        if binding.unanswered and any(one.status is not None for one in answers):
            binding.unanswered = 0
            log.info("submits_answered_again", link=self.settings.name, kind=binding.kind)
            self._events.changed(self)
        retries = self.settings.retries
        rules = [(one.status, retries.rule(one.status, nack=one.nack)) for one in answers if one.status]
        passing = [(status, rule) for status, rule in rules if rule is not None]
        slowing = sum(rule.slows is not Slows.NOTHING for _, rule in passing)
        if slowing:
            self.throttled_count += slowing
            metrics.LINK_THROTTLED.labels(self.settings.name).inc(slowing)
        if any(rule.slows is Slows.LINK for _, rule in passing):
            self.slow_down()
        if status := next((status for status, rule in passing if rule.rebind), None):
            self._bind_anew(binding, status)
        elif any(one.status is not None for one in answers):
            binding.suspect = False
        self._events.submitted(self, answers)

    def slow_down(self) -> None:
        """Submit less for a while: the operator asks for it."""
        self.pace.throttled(asyncio.get_running_loop().time())

    def _bind_anew(self, binding: Binding, status: int) -> None:
        """Leave a session whose submit_sm are refused for what it is; the next one tries a single submit_sm first."""
        connection = binding.connection
        if connection is None or connection.leaving:
            return
        binding.suspect = True
        log.warning("link_binds_anew", link=self.settings.name, kind=binding.kind, status=status_name(status))
        why = f"bound anew after {status_name(status)}"
        leaving = asyncio.get_running_loop().create_task(
            self._leave(binding, connection, self.settings.response_timeout, why)
        )
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)

    async def _leave(self, binding: Binding, connection: Connection, patience: float, why: str) -> None:
        """Unbind; it is not lost, so the log has another word for it."""
        was_bound = binding.state == "bound"
        await connection.unbind(patience, why)
        if was_bound:
            log.info("link_left", link=self.settings.name, kind=binding.kind, reason=why)

    async def take_deliveries(self, pdus: list[DeliverSm | DataSm]) -> list[int]:
        """Pass deliveries on."""
        return await self._events.delivered(self, pdus)

    def take_ease(self) -> None:
        """Pass on that there is room again."""
        self._events.changed(self)


class _Owner:
    """What a connection knows of its link: which binding it is."""

    def __init__(self, link: Link, binding: Binding) -> None:
        self._link = link
        self._binding = binding

    def bound(self, connection: Connection) -> None:
        self._link.take_bound(self._binding, connection)

    def rejected(self, connection: Connection, status: int | None, reason: str) -> None:  # noqa: ARG002  the protocol's signature
        self._link.take_rejected(self._binding, status, reason)

    def answered(self, answers: list[Answered]) -> None:
        self._link.take_answers(self._binding, answers)

    async def delivered(self, pdus: list[DeliverSm | DataSm]) -> list[int]:
        return await self._link.take_deliveries(pdus)

    def eased(self) -> None:
        self._link.take_ease()
