"""Plays a history on a store, as the process, the wire and the operators would; `watch` says what may come of it."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Any, Protocol

from esito.domain.account import Account
from esito.domain.message import SegmentRef, SubmitAnswer, SubmitOutcome
from esito.domain.receipt import DeliveryReceipt
from esito.store.interface.link_store import LinkRecord
from esito.store.interface.message_records import Settled
from esito.store.interface.store import Store
from tests.histories.acts import PAUSES, WORDS, Act, Setup
from tests.histories.decidable import Judge
from tests.histories.truth import DAY, HOUR, NUMBERS, SECOND, STRANGER, Attempt, Fate, Operator, Receipt, Segment
from tests.histories.watch import Watch
from tests.kit.builders import NOW, account_in, message

SENDER = "ESITO"
AT_ONCE = 8
"""Answers and receipts that are recorded in one go."""


class Place(Protocol):
    """Where histories are played."""

    @property
    def store(self) -> Store:
        """The store, open."""

    async def reopen(self) -> Store:
        """Close the store and open it anew."""

    async def register(self, links: Sequence[LinkRecord]) -> dict[str, int]:
        """Have the store know these links, after every restart too; return their numbers."""


class Play:
    """One history under way."""

    def __init__(self, place: Place, name: str, setup: Setup) -> None:
        """`name`: no other history on the place has it."""
        self._place = place
        self._name = name
        self._setup = setup
        self._operators = setup.make()
        self.links = [f"{name}-{letter}" for letter in "ab"]
        self._numbers: dict[str, int] = {}
        self._account: Account | None = None
        self._now = NOW
        self._segments: dict[SegmentRef, Segment] = {}
        self._attempts: list[Attempt] = []
        self._messages = 0
        self._came: list[tuple[Receipt, DeliveryReceipt]] = []
        self._judge = Judge()
        self.lines: list[str] = []
        self._waiting: list[tuple[str, list[Any]]] = []
        self.watch = Watch(self._judge, self._segments, self.lines, together=self._setup.together)

    async def run(self, acts: Sequence[Act]) -> None:
        """Play everything, then let all that is owed be answered or lost. Raises Broken."""
        for letter, operator, again in zip("ab", self._operators, self._setup.again, strict=True):
            self._say("link", f"{letter} of {operator}" + ("; submits again what is uncertain" if again else ""))
        if self._setup.together:
            self._say("", "answers and receipts are recorded together")
        self._account = await account_in(self._place.store, self._name)
        await self._register()
        await self.watch.begin(self._place.store, self._account)
        for act in acts:
            await self._do(act)
        await self._flush()
        for number, one in enumerate(self._owed()):
            how = acts[number % len(acts)].more
            self._lost(one, taken=bool(how & 1), gone=False) if how & 2 else self._accept(one)
        await self._flush()
        self._now += 30 * DAY
        await self._expire()
        await self.watch.end(self._place.store, self._account, self.links)

    async def _do(self, act: Act) -> None:
        self._now += 1 + (act.more * 37) % 400
        act_of: Callable[[Act], Awaitable[None]] = getattr(self, f"_{act.does}")
        if act.does not in {"respond", "deliver", "lose", "late", "again", "foreign", "throttle", "refuse"}:
            await self._flush()
        await act_of(act)
        if not self._setup.together or sum(len(things) for _, things in self._waiting) >= AT_ONCE:
            await self._flush()

    # -- what we do ---------------------------------------------------------------------------

    async def _send(self, act: Act) -> None:
        link = act.how % 2
        segments = 1 if act.more < 9 else 2
        msisdn = NUMBERS[act.which % len(NUMBERS)]
        assert self._account is not None
        self._messages += 1
        new = message(
            self._account, [int(msisdn)], link=self._numbers[self.links[link]], segments=segments, due_at=self._now
        )
        number = await self._place.store.accept(new)
        self.watch.sent(number, f"m{self._messages}", msisdn)
        self._say("send", f"m{self._messages} to {msisdn} on {'ab'[link]}, {segments} segment(s)")
        for part in range(1, segments + 1):
            ref = SegmentRef(number, 0, part)
            self._segments[ref] = Segment(
                ref=ref, name=f"m{self._messages}/{part}", msisdn=msisdn, link=link,
                operator=self._operators[link], again=self._setup.again[link],
            )  # fmt: skip

    async def _claim(self, act: Act) -> None:
        link = act.which % 2
        claimed = await self._place.store.claim(self.links[link], limit=(100, 1, 2)[act.how % 3], at=self._now)
        for one in claimed:
            segment = self._segments[one.ref]
            self._say("claim", f"{segment.name} leaves on {'ab'[link]} (attempt {one.attempts + 1})")
            self.watch.leaves(segment)
            attempt = Attempt(segment=segment, number=one.attempts, left=self._now)
            segment.attempts.append(attempt)
            self._attempts.append(attempt)
        await self._look()

    async def _pause(self, act: Act) -> None:
        pause = PAUSES[act.which % len(PAUSES)]
        self._now += pause
        self._say("pause", f"{pause // SECOND} s")

    async def _expire(self, act: Act | None = None) -> None:  # noqa: ARG002  acts are all called alike
        self._say("expire", "")
        await self._place.store.expire(self._now)
        await self._look()

    async def _restart(self, act: Act) -> None:
        self._say("restart", "the process is killed and started again")
        for place, one in enumerate(self._owed()):
            self._lost(one, taken=bool(act.which >> place % 4 & 1), gone=True, told=False)
        store = await self._place.reopen()
        await store.recover(self._now)
        await self._look()
        await self.watch.account_for(store, self.links)

    async def _register(self) -> None:
        self._numbers = await self._place.register(
            [
                LinkRecord(name=link, operator=f"{self._name}-{operator.name}", resubmit_uncertain=again)
                for link, operator, again in zip(self.links, self._operators, self._setup.again, strict=True)
            ]
        )

    # -- what the operators answer ------------------------------------------------------------

    def _owed(self) -> list[Attempt]:
        return [one for one in self._attempts if one.fate is Fate.OWED]

    def _take(self, one: Attempt) -> None:
        """Let the operator take a submit_sm, if it has not."""
        if one.smsc_id is None:
            one.smsc_id = one.segment.operator.next_id()
            one.segment.operator.given += 1

    async def _respond(self, act: Act) -> None:
        if owed := self._owed():
            self._accept(owed[act.which % len(owed)], empty=act.how == 11)

    def _accept(self, one: Attempt, *, empty: bool = False, late: str = "") -> None:
        self._take(one)
        assert one.smsc_id is not None
        one.told = "" if empty else one.segment.operator.writing.response.format(one.smsc_id)
        one.fate = Fate.ACCEPTED
        self._say("respond", f"{one.segment.name} is accepted{late}, id {one.told!r}")
        self._answer(one, SubmitOutcome.ACCEPTED)

    async def _throttle(self, act: Act) -> None:
        if owed := [one for one in self._owed() if one.smsc_id is None]:
            one = owed[act.which % len(owed)]
            one.fate = Fate.TURNED_AWAY
            self._say("respond", f"{one.segment.name} is " + ("throttled" if act.how % 2 else "never written"))
            self._answer(one, SubmitOutcome.LATER, status=0x58 if act.how % 2 else 0)

    async def _refuse(self, act: Act) -> None:
        if owed := [one for one in self._owed() if one.smsc_id is None]:
            self._turn_down(owed[act.which % len(owed)], "")

    def _turn_down(self, one: Attempt, late: str) -> None:
        one.fate = Fate.TURNED_AWAY
        self._say("respond", f"{one.segment.name} (attempt {one.number + 1}) is refused{late}")
        self._answer(one, SubmitOutcome.REFUSED, status=0x0B)

    async def _lose(self, act: Act) -> None:
        if owed := self._owed():
            self._lost(owed[act.which % len(owed)], taken=bool(act.how % 4), gone=False)

    async def _drop(self, act: Act) -> None:
        link = act.which % 2
        self._say("drop", f"link {'ab'[link]} loses its connection")
        for place, one in enumerate(self._owed()):
            if one.segment.link == link:
                self._lost(one, taken=bool(act.how >> place % 4 & 1), gone=True)

    def _lost(self, one: Attempt, *, taken: bool, gone: bool, told: bool = True) -> None:
        if taken:
            self._take(one)
        one.fate, one.may_answer = Fate.LOST, not gone
        mark = "" if one.smsc_id is None else f" ({one.segment.operator.writing.response.format(one.smsc_id)!r})"
        self._say("lose", f"the response{mark} to {one.segment.name} is lost")
        if told:
            self._answer(one, SubmitOutcome.UNCERTAIN)

    async def _late(self, act: Act) -> None:
        if lost := [one for one in self._attempts if one.fate is Fate.LOST and one.may_answer]:
            one = lost[act.which % len(lost)]
            one.may_answer = False
            if one.smsc_id is not None or act.how % 3:
                self._accept(one, late=f" late (attempt {one.number + 1})")
            else:
                self._turn_down(one, " late")

    def _answer(self, one: Attempt, answer: SubmitOutcome, status: int = 0) -> None:
        answered = SubmitAnswer(
            ref=one.segment.ref, answer=answer, at=self._now, smsc_message_id=one.told or "", status=status,
            retry_at=self._now + (5 * SECOND if status else 0), attempts=one.number,
        )  # fmt: skip
        self._keep(self.links[one.segment.link], answered)

    # -- receipts -----------------------------------------------------------------------------

    async def _deliver(self, act: Act) -> None:
        there = [one for one in self._attempts if one.fate is Fate.OWED or one.smsc_id is not None]
        if not there:
            return
        one = there[act.which % len(there)]
        self._take(one)
        assert one.smsc_id is not None
        operator = one.segment.operator
        self._receive(
            operator, one, link=one.segment.link, number=one.smsc_id, to=one.segment.msisdn, word=act.how,
            written=act.more, dated=operator.date(one.left) if act.how % 4 else None,
        )  # fmt: skip

    async def _foreign(self, act: Act) -> None:
        link = act.which % 2
        operator = self._operators[link]
        self._receive(
            operator, None, link=link, number=operator.next_id(act.how % 3), to=(*NUMBERS, STRANGER)[act.more % 4],
            word=act.how % 3, written=act.which // 4,
            dated=operator.date(self._now - (SECOND, HOUR)[act.which // 2 % 2]),
        )  # fmt: skip

    async def _again(self, act: Act) -> None:
        if self._came:
            receipt, said = self._came[act.which % len(self._came)]
            self._keep_receipt(receipt, said)

    def _receive(
        self, operator: Operator, about: Attempt | None, *, link: int, number: int, to: str, word: int, written: int,
        dated: int | None,
    ) -> None:  # fmt: skip
        addresses, names = addressed(to, written)
        # The links of one operator bring each other's receipts.
        brought = 1 - link if written % 5 == 4 and self._operators[0] is self._operators[1] else link
        state = WORDS[word % len(WORDS)]
        said = DeliveryReceipt(
            link=self.links[brought],
            smsc_message_id=operator.writing.receipt.format(number),
            state=state,
            stat="NONSENSE" if state is None else state.name,
            addresses=addresses,
            submitted_at=dated,
            counts=word != len(WORDS),
        )
        receipt = Receipt(
            serial=0, operator=operator, about=about, smsc_id=said.smsc_message_id, state=state, counts=said.counts,
            names=names, dated=dated, received_at=0,
        )  # fmt: skip
        self._keep_receipt(receipt, said)

    def _keep_receipt(self, like: Receipt, said: DeliveryReceipt) -> None:
        """Have it come now."""
        serial = len(self._came) + 1
        receipt = replace(
            like, serial=serial, received_at=self._now, before=[], near=[], settled_on=set(), doubtful=False
        )
        self._came.append((receipt, said))
        self._judge.came(receipt, self._attempts)
        about = "nothing of ours" if receipt.segment is None else receipt.segment.name
        dated = "no date" if receipt.dated is None else f"dated {written_at(receipt.dated)}"
        self._say(
            "receipt",
            f"r{serial} {said.smsc_message_id!r} {said.stat}{'' if said.counts else ' (does not count)'} for "
            f"{' > '.join(said.addresses)}, {dated}; it is about {about}",
        )
        kept = said._replace(received_at=self._now, error_code=str(serial), raw=f"{self._name}/{serial}".encode())
        self._keep("", kept)

    # -- writing it down ----------------------------------------------------------------------

    def _keep(self, link: str, what: SubmitAnswer | DeliveryReceipt) -> None:
        """Have an answer of a link, or a receipt (no link), recorded with those before it."""
        if not self._waiting or self._waiting[-1][0] != link:
            self._waiting.append((link, []))
        self._waiting[-1][1].append(what)

    async def _flush(self) -> None:
        """Record what waits, in its order."""
        if not self._waiting:
            return
        calls, self._waiting = self._waiting, []
        store = self._place.store
        came: list[Settled | int] = await asyncio.gather(
            *[store.record_answers(link, things) if link else store.apply_receipts(things) for link, things in calls]
        )
        await self._look()
        self.watch.counted([(len(things), settled) for (_, things), settled in zip(calls, came, strict=True)])

    async def _look(self) -> None:
        assert self._account is not None
        await self.watch.look(self._place.store, self._account, self._attempts, self._now)

    def _say(self, what: str, how: str) -> None:
        self.lines.append(f"{written_at(self._now)} {what:8} {how}")


def written_at(at: int) -> str:
    """Return an instant as days, hours, minutes and seconds since histories begin."""
    seconds, ms = divmod(at - NOW, SECOND)
    days, rest = divmod(seconds, 86_400)
    return f"{days}d {rest // 3600:02}:{rest // 60 % 60:02}:{rest % 60:02}.{ms:03}"


def addressed(msisdn: str, way: int) -> tuple[tuple[str, str], frozenset[str] | None]:
    """Return the addresses of a receipt, written in one of the ways of operators, and whom they may mean."""
    if way % 8 == 7:
        return ("", ""), None
    if way % 8 == 6:
        short = "0" + msisdn[2:]
        return (short, SENDER), frozenset(one for one in (*NUMBERS, STRANGER) if one.endswith(msisdn[2:]))
    pairs = ((msisdn, SENDER), (SENDER, msisdn), ("+" + msisdn, "36111"), (msisdn, ""), ("00" + msisdn, SENDER))
    return pairs[way % 8 % len(pairs)], frozenset({msisdn})
