"""Plays one variant of a case: its events in order, between a scripted operator and the running server."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Self
from zoneinfo import ZoneInfo

from tests.kit.patience import PATIENCE, patience_for, pauses
from tests.kit.place import Place
from tests.receipts.case import LINK_SETTINGS, USUAL_TEXT, Event, Filler, LinkPlan, Variant, links_of, scaled
from tests.receipts.deliveries import Delivered
from tests.receipts.evidence import Evidence
from tests.receipts.happening import ACTS
from tests.receipts.operator import Operator, Session
from tests.receipts.server import Server
from tests.receipts.spoiled import Spoiled, spoiled_at
from tests.receipts.words import misplaced

SELDOM = 0.1
"""Seconds after which what costs a query, or a page of the server, is looked at again, at most."""

WITH_A_WORD_BEFORE = frozenset({"for", "n", "repeat"})
"""Words that say more about the event beside them."""


@dataclass(slots=True, kw_only=True)
class Sent:
    """A message of the case and how its operator identifies it."""

    message_id: int
    link: str
    numbers: list[str]
    ids: list[str | None]


@dataclass(slots=True)
class Notes:
    """What a scene saw and expectations ask about."""

    readyz: int = 200
    rss_before: float = 0.0
    rss_after: float = 0.0
    detected: float = 0.0
    rebound: float = 0.0
    answered_while_held: bool = False
    uncaught: int = 0
    looked_later: bool = False
    sessions_before: dict[str, list[Session]] = field(default_factory=dict)


class Scene:
    """One play."""

    def __init__(self, variant: Variant, folder: Path, place: Place) -> None:
        self.variant = variant
        self.folder = folder
        self.place = place
        self.plans: list[LinkPlan] = links_of(variant)
        self.operators: dict[str, Operator] = {}
        self.sent: list[Sent] = []
        self.submits: list[datetime] = []
        """When each message was submitted, by the server's clock."""
        self.receipts: list[Delivered] = []
        self.unacknowledged: list[Delivered] = []
        """Every receipt that was sent: who repeats looks here for what was not acknowledged."""
        self.notes = Notes()
        self.evidence = Evidence(place.store)
        self.spoiled: Spoiled = spoiled_at(self.evidence.tables, folder)
        self.receipt_first = False
        self.receipt_order: Any = None
        self.losses: list[tuple[Operator, str]] = []
        """Responses that are lost once the receipts that follow are acknowledged."""
        self.kill_after_commit = False
        self.holding: asyncio.Task[None] | None = None
        self.under_way: list[asyncio.Task[None]] = []
        """What goes on beside the events: it ends before the scene does."""
        self.steps: list[Event] = []
        self.position = 0
        self._server: Server | None = None

    @property
    def server(self) -> Server:
        assert self._server is not None
        return self._server

    @property
    def main(self) -> Operator:
        return self.operators[self.plans[0].name]

    def operator(self, name: str) -> Operator:
        """Return the operator behind a link; `tx`, `rx` and numbers mean the sessions of the first."""
        return self.operators.get(name, self.main)

    def zone(self, link: str = "") -> ZoneInfo:
        """Return the zone in which the operator of a link writes dates."""
        settings = next((plan.settings for plan in self.plans if plan.name == link), self.plans[0].settings)
        return ZoneInfo(settings.get("receipt_timezone", "UTC"))

    # -- beginning and end ----------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        try:
            await self._begin()
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def _begin(self) -> None:
        modifiers = self.variant.modifiers
        for plan in self.plans:
            operator = self.operators[plan.name] = Operator()
            operator.bind_delay = scaled(modifiers["bind_delay"]) if "bind_delay" in modifiers else 0.0
            operator.slow_answers = 0.005 if "window" in modifiers else 0.0
            await operator.open()
        self.main.answers_after = self.variant.case["expect"].get("max_outstanding", 0)
        links = [(plan, self.operators[plan.name].port) for plan in self.plans]
        spoilt = self.spoiled.control if any("store" in step for step in self.variant.steps) else ""
        self._server = Server(self.folder, self.place, links, self._prefixes(), begin=self.variant.begin, faults=spoilt)
        await self.server.prepare()
        await self.server.start()
        await self._bound()
        self.notes.rss_before = self.server.rss_mb
        self.note_sessions()

    async def __aexit__(self, *exc: object) -> None:
        try:
            for task in [*self.under_way, *([self.holding] if self.holding else [])]:
                await task
        finally:
            if self._server is not None:
                await self._server.close()  # first: it would bind again to an operator that is on its way out
            for operator in self.operators.values():
                await operator.close()
            await asyncio.sleep(0)  # the transports close
            self.evidence.close()

    def _prefixes(self) -> dict[str, list[str]]:
        """Route each number by the link that the case names."""
        found: dict[str, list[str]] = {self.plans[0].name: []}
        for event in self.variant.steps:
            submit = event.get("submit", {})
            name = submit.get("link", self.plans[0].name)
            if name in self.operators and name != self.plans[0].name:
                found.setdefault(name, []).append(f"+{submit['to']}")
        # Only the first link serves what no other does; one without prefixes would as well.
        for number, plan in enumerate(self.plans[1:]):
            found.setdefault(plan.name, [f"+99900{number}"])
        return found

    async def _bound(self) -> None:
        for plan in self.plans:
            operator = self.operators[plan.name]
            count = plan.settings.get("sessions", 1)
            if plan.settings.get("bind") == "transmitter + receiver":
                await operator.until(lambda: len([one for one in operator.sessions if one.kind]) >= 2, PATIENCE)  # noqa: B023  awaited at once
            else:
                await operator.receiver(count - 1)

    # -- the play -------------------------------------------------------------------------------

    async def play(self) -> None:
        """Play all events."""
        if strange := misplaced(self.variant.case, LINK_SETTINGS):
            raise ValueError("; ".join(strange))
        for order in self.variant.orders or [()]:
            await self._play_once(order)
        self.notes.rss_after = self.server.rss_mb

    async def _play_once(self, words: tuple[str, ...]) -> None:
        self.steps = self.variant.steps
        if words and not any("receipt" in event for event in self.steps):
            self.steps = [*self.steps, {"receipt": {"text": USUAL_TEXT}}]
        for position, event in enumerate(self.steps):
            self.position = position
            if words and "receipt" in event:
                for word in words:
                    await self._do(event, word)
            else:
                await self._do(event, self.variant.each)

    async def _do(self, event: Event, each: Any) -> None:
        for name in event:
            if name not in WITH_A_WORD_BEFORE:
                await ACTS[name](self, event, self.filler(each))

    def filler(self, each: Any = None, *, link: str = "") -> Filler:
        """Return what fills templates as things stand now."""
        ids = [sent.ids[0] or "" if sent.ids else "" for sent in self.sent]
        return Filler(each=each, now=self.server.now, zone=self.zone(link), submits=self.submits, ids=ids)

    @property
    def follows(self) -> Event:
        """The next event; empty at the end."""
        following = self.steps[self.position + 1 : self.position + 2]
        return following[0] if following else {}

    def comes_before(self, wanted: str, other: str) -> bool:
        """Tell whether an event of one kind follows before the next one of another kind."""
        for event in self.steps[self.position + 1 :]:
            if wanted in event:
                return True
            if other in event:
                return False
        return False

    # -- waiting --------------------------------------------------------------------------------

    async def until(self, true: Callable[[], object], within: float = PATIENCE) -> bool:
        """Wait for something that is to come; return whether it came."""
        deadline, pause = time.monotonic() + within, pauses()
        while not true():
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(next(pause))
        return True

    async def settled(self, *, uncertain: bool = False) -> None:
        """Wait until every answer is stored, pushing the clock to what is to be tried again.

        `uncertain`: segments whose answer was lost count as settled.
        """
        deadline, pause = time.monotonic() + patience_for(sum(len(one.numbers) for one in self.sent)), pauses(SELDOM)
        while time.monotonic() < deadline and self.evidence.open_segments(uncertain=uncertain):
            retry_at = self.evidence.next_try()
            if retry_at is not None and (wait := retry_at - int(self.server.now.timestamp() * 1000)) > 0:
                await self.server.advance(wait + 1)
                pause = pauses(SELDOM)
            await asyncio.sleep(next(pause))

    async def applied(self) -> None:
        """Wait until nothing is under way from the gateway to the store."""
        deadline, pause = time.monotonic() + PATIENCE, pauses(SELDOM)
        while not await self.server.has_applied_all() and time.monotonic() < deadline:
            await asyncio.sleep(next(pause))

    # -- sessions -------------------------------------------------------------------------------

    async def again(self) -> None:
        """Kill the server and start it."""
        await self.server.kill()
        for operator in self.operators.values():
            operator.held.clear()
        await self.server.start()
        await self.bound_again()

    async def bound_again(self) -> None:
        """Wait until every link is bound; its sessions are those that must stay."""
        for operator in self.operators.values():
            await operator.receiver(within=PATIENCE)
        self.note_sessions()

    def note_sessions(self) -> None:
        """Forget the sessions that are over, and remember those that must stay."""
        for name, operator in self.operators.items():
            operator.sessions[:] = [session for session in operator.sessions if not session.over]
            self.notes.sessions_before[name] = list(operator.sessions)
