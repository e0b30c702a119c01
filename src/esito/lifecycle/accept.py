"""Accepting a send: its price, the route of each number, and the one commit behind HTTP 200.

The fields of the draft are valid already. Here is decided what may be sent (contract 2.6,
second layer), in the contract's order: 50, 42 or 52, then 13, 14 and 15 per number, 11.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import partial
from typing import NamedTuple

import structlog

from esito.domain.account import Account, Profile, may_send_to
from esito.domain.errors import (
    LowCostNotEligible,
    LowCostTooLong,
    NothingToSend,
    NumberProblem,
    SenderNotAllowed,
    TooManyRecipients,
    TooManySegments,
)
from esito.domain.message import MAX_RECIPIENTS, MessageOptions, NewMessage, NewRecipient, Once, Range, fields_of
from esito.domain.msisdn import country_of, is_mobile
from esito.domain.number_forms import former_spellings
from esito.domain.opt_out import mention
from esito.domain.premium_ranges import is_premium_rate
from esito.domain.pricing import PriceList, from_micros, to_micros
from esito.domain.routing import Routes
from esito.domain.text import LOW_COST_LIMIT, MAX_SEGMENTS, count_segments, is_overlong, prepare
from esito.domain.timing import Clock
from esito.lifecycle import commercial_hours
from esito.lifecycle.account_threads import AccountThreads
from esito.store.interface.store import Store

log = structlog.get_logger()

NOT_MOBILE, NO_PRICE, STOPPED, REPEATED = 9, 13, 14, 15
"""Codes of numbers that get nothing (contract 2.6 and 5): premium-rate numbers are not mobile, and an account has no
price for a country it may not send to."""

COUNTED_AT_ONCE = 20_000
"""Characters up to which segments are counted on the event loop: a few milliseconds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftOptions(MessageOptions):
    """What a send asks for besides texts and numbers."""

    due_at: int | None = None
    """Milliseconds UTC if scheduled."""
    stop_mention: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft(DraftOptions):
    """A send whose fields are valid; numbers are E.164 with plus, in the order of the request."""

    account: Account
    texts: tuple[str, ...]
    numbers: list[tuple[str, int]]
    """MSISDN, and the index of its text."""
    to_stopped: bool = False
    """Whether numbers on the STOP list get it too, as the answer to a STOP."""


class AcceptedRecipient(NamedTuple):
    """A recipient that gets the message."""

    msisdn: str
    segments: int
    cost: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """What was kept; `problems`: the numbers that were left out, and why."""

    message_id: int
    segments: int
    cost: Decimal
    currency: str
    due_at: int | None
    """When it leaves if not at once: as scheduled, or at the next commercial hour."""
    recipients: list[AcceptedRecipient]
    problems: tuple[NumberProblem, ...] = ()


OnceOf = Callable[[Accepted], Once]
"""Makes the record of an idempotent request."""


class Terms(NamedTuple):
    """Route and price of a segment, in micro-euros; the same for all numbers that begin alike."""

    link: int
    price: int


class Acceptance:
    """Turns drafts into stored messages."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        routes: Routes,
        prices: PriceList,
        on_accepted: Callable[[], None] = lambda: None,
        currency: str = "EUR",
        threads: AccountThreads | None = None,
    ) -> None:
        """`on_accepted` is called after each commit, so that links look for work at once; `threads` do long work."""
        self._store = store
        self._clock = clock
        self._prices = prices
        self._on_accepted = on_accepted
        self._currency = currency
        self.threads = threads or AccountThreads()
        """Do long work of requests, here and in the API."""
        self.follow(routes)

    def follow(self, routes: Routes) -> None:
        """Use these routes from now on; one message is never routed by two tables."""
        self._routes = routes
        self._wheels = routes.wheels()
        # Eight digits and the plus determine country and kind (`domain/dialling`); a routing prefix may be longer.
        self._telling = max([9, *map(len, routes.prefixes)])

    async def accept(self, draft: Draft, *, once: OnceOf | None = None) -> Accepted:
        """Store the message; return its id and what it costs.

        `once` makes the record of an idempotent request from what was accepted; the message id is not known yet (0).
        Raises SenderNotAllowed, TooManyRecipients, LowCostNotEligible, TooManySegments,
        LowCostTooLong, CommercialHour, CommercialDay, NothingToSend, NotEnoughCredit, AnsweredBefore.
        """
        profile = draft.account.profile
        if not _may_use(profile, draft.sender):
            raise SenderNotAllowed
        if len(draft.numbers) > MAX_RECIPIENTS:
            raise TooManyRecipients
        if draft.gamme is Range.LOW_COST and not profile.low_cost_allowed:
            raise LowCostNotEligible
        # A text that is too long even with the shortest mention is refused before any number.
        ending = mention(self._routes.shortest_stop_number(draft.sender)) if draft.stop_mention else ""
        plan = _Plan(draft, draft.texts, await self._count(draft, [text + ending for text in draft.texts]))
        now = self._clock.now()
        keeps_hours = commercial_hours.is_commercial(draft.account, stop_mention=draft.stop_mention)
        if keeps_hours and draft.due_at is not None:
            check = partial(_check_schedule, draft, draft.due_at)
            await self.threads.do(draft.account.top, check)  # the first one reads the calendars
        await self._choose(plan)
        if not plan.recipients:
            raise NothingToSend(plan.problems)
        due_at = draft.due_at
        if keeps_hours:
            due_at = await self.threads.do(draft.account.top, partial(_opening, draft, plan.recipients, now))
        if self._wheels:
            self._share_out(plan.recipients)
        if draft.stop_mention:
            await self._mention_stop(plan)
        message = NewMessage(
            account_id=draft.account.id,
            created_at=now,
            due_at=max(now, due_at or now),
            texts=tuple(plan.texts),
            stop_numbers=tuple(plan.stop_numbers),
            recipients=plan.recipients,
            **fields_of(draft, MessageOptions),
        )
        if once is not None:
            message = replace(message, once=once(self._accepted(0, due_at, message, plan.problems)))
        message_id = await self._store.accept(message)
        self._on_accepted()
        return self._accepted(message_id, due_at, message, plan.problems)

    async def _count(self, draft: Draft, texts: Sequence[str]) -> list[int]:
        """Return the segments of each text; long ones are counted in a thread."""
        if sum(map(len, texts)) > COUNTED_AT_ONCE:
            return await self.threads.do(draft.account.top, partial(self._segments_of, draft, texts))
        return self._segments_of(draft, texts)

    def _segments_of(self, draft: Draft, texts: Sequence[str]) -> list[int]:
        counts = []
        for text in texts:
            if is_overlong(text):
                raise LowCostTooLong if draft.gamme is Range.LOW_COST else TooManySegments
            prepared = prepare(text, unicode=draft.unicode)
            segments = count_segments(prepared)
            if draft.gamme is Range.LOW_COST and prepared.units > LOW_COST_LIMIT:
                raise LowCostTooLong
            if segments > MAX_SEGMENTS:
                raise TooManySegments
            counts.append(segments)
        return counts

    async def _choose(self, plan: "_Plan") -> None:
        """Sort the numbers into recipients and problems; repeated and stopped ones are problems."""
        stopped: set[int] = set()
        if plan.draft.account.may_have_stops:
            mine = _by_spelling({msisdn[1:] for msisdn, _ in plan.draft.numbers})
            kept = await self._store.stopped_among(plan.draft.account.id, list(mine))
            stopped = {number for one in kept for number in mine[one]}
        seen: set[str] = set()
        for msisdn, text in plan.draft.numbers:
            digits = int(msisdn[1:])
            if msisdn in seen:
                plan.refuse(msisdn, REPEATED)
                continue
            seen.add(msisdn)
            if digits in stopped and not plan.draft.to_stopped:
                plan.refuse(msisdn, STOPPED)
                continue
            terms = self._terms(plan, msisdn)
            if isinstance(terms, int):
                plan.refuse(msisdn, terms)
            else:
                segments = plan.segments[text]
                plan.recipients.append(NewRecipient(digits, terms.link, text, segments, terms.price * segments))

    def _terms(self, plan: "_Plan", msisdn: str) -> Terms | int:
        """Return route and price, or the code of the problem; cached for numbers that begin alike."""
        key = (msisdn[: self._telling], len(msisdn))
        known = plan.terms.get(key)
        if known is None:
            known = plan.terms[key] = self._work_out(plan, msisdn)
        return known

    def _work_out(self, plan: "_Plan", msisdn: str) -> Terms | int:
        if is_mobile(msisdn) is False or is_premium_rate(msisdn):
            return NOT_MOBILE
        price = self._prices.price_of(msisdn, int(plan.draft.gamme))
        if price is None or not self._may_send_to(plan.draft, msisdn):
            return NO_PRICE
        route = self._routes.route_for(msisdn)
        number = 0 if route is None else self._routes.numbers[route]
        micros = 0 if plan.draft.sandbox else to_micros(price)
        return Terms(number, micros)

    def _may_send_to(self, draft: Draft, msisdn: str) -> bool:
        """Tell whether the account may send to the country; a STOP is answered wherever it comes from."""
        return draft.to_stopped or may_send_to(draft.account, country_of(msisdn), home=self._prices.home)

    def _share_out(self, recipients: list[NewRecipient]) -> None:
        """Share recipients of a prefix that several links serve among its routes; neighbours get the same."""
        places: dict[int, list[int]] = {}
        for place, one in enumerate(recipients):
            if one.link in self._wheels:
                places.setdefault(one.link, []).append(place)
        for first, these in places.items():
            numbers, wheel = self._wheels[first]
            begin = 0
            for number, count in zip(numbers, wheel.split(len(these)), strict=True):
                for place in these[begin : begin + count]:
                    recipients[place] = recipients[place]._replace(link=number)
                begin += count

    async def _mention_stop(self, plan: "_Plan") -> None:
        """Append to each text the STOP mention with the number of its recipient's link."""
        draft = plan.draft
        places: dict[tuple[int, str], int] = {}
        numbers: list[str] = []
        for one in plan.recipients:
            numbers.append(self._routes.stop_number(draft.sender, one.link))
            places.setdefault((one.text, numbers[-1]), len(places))
        plan.texts = [draft.texts[text] + mention(number) for text, number in places]
        plan.stop_numbers = [number for _, number in places]
        plan.segments = await self._count(draft, plan.texts)
        for at, (one, number) in enumerate(zip(plan.recipients, numbers, strict=True)):
            text = places[one.text, number]
            segments = plan.segments[text]
            plan.recipients[at] = one._replace(text=text, segments=segments, cost=one.cost // one.segments * segments)

    def _accepted(
        self, message_id: int, due_at: int | None, message: NewMessage, problems: Sequence[NumberProblem]
    ) -> Accepted:
        """Return what was stored under this id, or is about to be."""
        prices = {recipient.cost: from_micros(recipient.cost) for recipient in message.recipients}
        return Accepted(
            message_id=message_id,
            segments=message.segments,
            cost=from_micros(message.cost),
            currency=self._currency,
            due_at=due_at,
            recipients=[
                AcceptedRecipient(f"+{one.msisdn}", one.segments, prices[one.cost]) for one in message.recipients
            ],
            problems=tuple(problems),
        )


def _by_spelling(numbers: Collection[str]) -> dict[int, set[int]]:
    """Return, by each spelling in the store, which of these numbers (E.164 digits) it stands for.

    A spelling from before a change of plan does not count if it is another number's own.
    """
    found = {int(number): {int(number)} for number in numbers}
    own = set(found)
    for number in numbers:
        for former in former_spellings(number):
            if int(former) not in own:
                found.setdefault(int(former), set()).add(int(number))
    return found


def _may_use(profile: Profile, sender: str) -> bool:
    """Tell whether the account may use this sender; the operator's short code and its own numbers always."""
    return not (profile.senders and sender) or sender in profile.senders or sender.lstrip("+") in profile.numbers


def _check_schedule(draft: Draft, due_at: int) -> None:
    """Refuse a schedule at which no recipient may get a commercial text. Raises CommercialHour, CommercialDay."""
    commercial_hours.check_schedule(due_at, commercial_hours.localities_of(msisdn for msisdn, _ in draft.numbers))


def _opening(draft: Draft, recipients: Sequence[NewRecipient], now: int) -> int | None:
    """Return when a commercial text may leave; None: at once. Raises CommercialHour."""
    localities = commercial_hours.localities_of(f"+{one.msisdn}" for one in recipients)
    opening = commercial_hours.next_opening(draft.due_at or now, localities)
    return opening if opening != now else None


@dataclass(slots=True)
class _Plan:
    """A draft and what is decided about it so far."""

    draft: Draft
    texts: Sequence[str]
    segments: list[int]
    stop_numbers: list[str] = field(default_factory=list)
    recipients: list[NewRecipient] = field(default_factory=list)
    problems: list[NumberProblem] = field(default_factory=list)
    terms: dict[tuple[str, int], Terms | int] = field(default_factory=dict)

    def refuse(self, msisdn: str, code: int) -> None:
        self.problems.append(NumberProblem(code=code, msisdn=msisdn))
