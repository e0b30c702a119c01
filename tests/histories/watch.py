"""Watches what a store makes of a history, and says at once what it may not: the promises, by number.

1. A receipt is never written in the trail of a recipient whose number it does not name, when it names one.
2. Nor in that of a recipient whose submit_sm left after it came, or was refused.
   Segments of one recipient whose ids are lost stand for one another in 2 and 3.
3. A receipt that is due has moved its segment, or found it as high (by a sister with the same id, too); one never
   doubtful is settled nowhere else.
4. States only climb; every receipt is in a trail or among the orphans, after a restart too; no segment that may have
   been taken is handed out again (but where its link says so) or counts as never sent.
5. This is 3 for a receipt with the very id of one unfinished submit_sm to the number that it names.
6. Once nothing is owed, no receipt counts as parked.
7. The books balance.
"""

from collections.abc import Sequence

from esito.domain.account import Account
from esito.domain.message import SegmentRef
from esito.domain.receipt import Verdict
from esito.domain.states import FIRST_FINAL, MessageState
from esito.store.interface.message_records import Orphan, Settled
from esito.store.interface.store import Store
from tests.histories.decidable import Judge, by_its_very_id
from tests.histories.truth import Attempt, Fate, Receipt, Segment
from tests.kit.builders import complaints

AT_ONCE = 500


class Broken(AssertionError):
    """A promise is not kept."""

    def __init__(self, promise: str, sentence: str, lines: Sequence[str]) -> None:
        self.promise = promise
        self.sentence = sentence
        super().__init__(f"promise {promise} is broken: {sentence}\n" + "\n".join(lines))


class Watch:
    """Follows one account through `Store.events`."""

    def __init__(
        self, judge: Judge, segments: dict[SegmentRef, Segment], lines: list[str], *, together: bool = False
    ) -> None:
        """`segments` and `lines` grow while the history is played.

        `together`: answers and receipts are recorded together, so that one look sees the end of several.
        """
        self._together = together
        self._refused: set[SegmentRef] = set()
        """Those that were known as refused at the last look."""
        self._judge = judge
        self._segments = segments
        self._lines = lines
        self._cursor: int | None = None
        self._recipients: dict[tuple[int, str], tuple[str, int]] = {}
        """Name and state of each."""

    def broken(self, promise: str, sentence: str) -> Broken:
        """Return the complaint, with the history so far."""
        return Broken(promise, sentence, self._lines)

    async def begin(self, store: Store, account: Account) -> None:
        """Take note of where the account's events begin."""
        _, self._cursor = await store.events(account.id, after=None, limit=1)

    def sent(self, message_id: int, name: str, msisdn: str) -> None:
        """Take note of a message with one recipient."""
        self._recipients[message_id, msisdn] = name, int(MessageState.WAITING)

    def leaves(self, segment: Segment) -> None:
        """Judge that a segment is handed out."""
        for one in segment.attempts[-1:]:
            if one.fate is Fate.OWED or one.fate is Fate.ACCEPTED:
                raise self.broken("4 handed out twice", f"{segment.name} was handed out before: {one.fate.value}")
            if one.fate is Fate.LOST and not segment.again:
                raise self.broken("4 handed out twice", f"{segment.name} is uncertain, and handed out again")

    async def look(self, store: Store, account: Account, attempts: Sequence[Attempt], now: int) -> None:
        """Judge what the store has written since the last look."""
        moved = await self._new_events(store, account, now)
        await self._climbs(store, account, moved)
        self._refused = {
            ref for ref, one in self._segments.items() if not any(s.maybe_taken for s in self._sisters(one))
        }
        for receipt in self._judge.look(attempts):
            segment = receipt.segment
            if segment is not None and receipt.state is not None and self._level(segment) < receipt.state:
                very = by_its_very_id(receipt) == {segment}
                kind = (
                    "5 very id" if very and receipt.names else "3 by very id, unnamed" if very else "3 by elimination"
                )
                where = f"it was settled on {self._names(receipt)}" if receipt.settled_on else "it is settled nowhere"
                raise self.broken(
                    f"{kind} not moved",
                    f"r{receipt.serial} can only be about {segment.name}, which stands at "
                    f"{MessageState(segment.level).name}; {where}",
                )

    def counted(self, calls: Sequence[tuple[int, Settled | int]]) -> None:
        """Judge that whoever brought receipts was told of each; `calls`: how many were brought, and what was told."""
        for count, told in calls:
            if isinstance(told, Settled) and sum(told.verdicts.values()) != count:
                raise self.broken("4 not told", f"of {count} receipts {sum(told.verdicts.values())} have a verdict")

    def _names(self, receipt: Receipt) -> str:
        return ", ".join(self._segments[ref].name for ref in sorted(receipt.settled_on))

    async def _new_events(self, store: Store, account: Account, now: int) -> set[tuple[int, str]]:
        """Take in what was written; return the recipients of whom it was."""
        told: set[tuple[int, str]] = set()
        while True:
            events, self._cursor = await store.events(account.id, after=self._cursor, limit=AT_ONCE)
            for event in events:
                segment = self._segments[SegmentRef(event.message_id, 0, event.part)]
                told.add((event.message_id, event.msisdn.removeprefix("+")))
                verdict = Verdict(event.verdict)
                if verdict in {Verdict.MOVED, Verdict.INFERRED} and event.state is not None:
                    segment.level = max(segment.level, event.state)
                    if event.state >= FIRST_FINAL and segment.finished_at is None:
                        segment.finished_at = now
                if verdict is not Verdict.INFERRED:
                    receipt = self._judge.receipts[int(event.error) - 1]
                    receipt.settled_on.add(segment.ref)
                    self._settled(receipt, segment, event.verdict)
            if len(events) < AT_ONCE:
                return told

    def _settled(self, receipt: Receipt, segment: Segment, verdict: str) -> None:
        self._lines.append(f"{'':16} ...     r{receipt.serial} {verdict} {segment.name}")
        if receipt.names is not None and segment.msisdn not in receipt.names:
            raise self.broken(
                "1 another number", f"r{receipt.serial} is {verdict} on {segment.name} ({segment.msisdn})"
            )
        # What was lost may be moved, and refused late, before anybody looks.
        if not any(one.maybe_taken for one in self._sisters(segment)) and (
            not self._together or segment.ref in self._refused
        ):
            raise self.broken("2 never taken", f"r{receipt.serial} is {verdict} on {segment.name}, which was refused")
        tries = [one for sister in self._sisters(segment) for one in sister.maybe_taken or sister.attempts]
        if not any(one.left < receipt.received_at for one in tries):
            raise self.broken("2 before it left", f"r{receipt.serial} came before {segment.name} left; it is {verdict}")

    def _level(self, segment: Segment) -> int:
        """Return the highest rung in its trail, or in that of a sister that was given the same id: it moves both."""
        told = {one.told for one in segment.attempts if one.told}
        sisters = [one for one in self._sisters(segment) if told & {each.told for each in one.attempts}]
        return max([segment.level, *(one.level for one in sisters)])

    def _sisters(self, segment: Segment) -> list[Segment]:
        """Return the segments of the same recipient: where their ids are lost, one stands for another."""
        return [one for one in self._segments.values() if one.ref[:2] == segment.ref[:2]]

    async def _climbs(self, store: Store, account: Account, told: set[tuple[int, str]]) -> None:
        pairs = list(self._recipients)
        for pair, status in zip(pairs, await store.statuses_of(account.id, pairs), strict=True):
            assert status is not None
            name, before = self._recipients[pair]
            if status.state == before:
                continue
            if status.state == MessageState.KO:
                for segment in self._segments.values():
                    if segment.ref.message_id == pair[0] and segment.maybe_taken:
                        raise self.broken("4 never sent", f"{segment.name} may have been taken, and counts as KO")
            elif status.state < before:
                raise self.broken("4 fell", f"{name} fell from {before} to {status.state}")
            elif pair not in told:
                raise self.broken(
                    "4 no trail", f"{name} went from {before} to {status.state} without a row in its trail"
                )
            self._recipients[pair] = name, status.state

    # -- at the end ---------------------------------------------------------------------------

    async def account_for(self, store: Store, links: Sequence[str]) -> list[Orphan]:
        """Judge that every receipt is somewhere; return those that match nothing."""
        orphans = [one for one in await store.orphans(after=0, limit=10_000) if one.link in links]
        found = {int(one.error) for one in orphans}
        for receipt in self._judge.receipts:
            # An acknowledgement that matches nothing is kept, and shown nowhere.
            if receipt.serial not in found and not receipt.settled_on and receipt.counts:
                raise self.broken("4 lost", f"r{receipt.serial} is in no trail and not among the orphans")
            if receipt.serial in found and receipt.settled_on:
                raise self.broken("4 kept twice", f"r{receipt.serial} is settled and among the orphans")
        if len(found) < len(orphans):
            raise self.broken("4 kept twice", "a receipt is twice among the orphans")
        return orphans

    async def end(self, store: Store, account: Account, links: Sequence[str]) -> None:
        """Judge what a history has come to, once nothing is owed."""
        for receipt in self._judge.receipts:
            elsewhere = [
                self._segments[ref]
                for ref in receipt.settled_on
                if receipt.segment is None or ref[:2] != receipt.segment.ref[:2]
                # One whose response was lost may bear the id by an earlier receipt, as an id that came round.
                if any(one.told for one in self._segments[ref].attempts) and not self._segments[ref].spoiled
            ]
            if elsewhere and not receipt.doubtful:
                raise self.broken(
                    "3 settled elsewhere",
                    f"r{receipt.serial} can only be about {receipt.segment.name if receipt.segment else '?'}, "
                    f"but was settled on {self._names(receipt)}",
                )
        for orphan in await self.account_for(store, links):
            if orphan.verdict == Verdict.PARKED.value:
                raise self.broken("6 parked for ever", f"r{orphan.error} counts as parked, and nothing is owed")
        for message_id, msisdn in self._recipients:
            evidence = await store.evidence_of(account.id, message_id, msisdn)
            assert evidence is not None
            for part in evidence.submitted:
                segment = self._segments[SegmentRef(message_id, 0, part.part)]
                sisters = [one for one in evidence.submitted if one.smsc_message_id == part.smsc_message_id]
                if part.state > max(self._segments[SegmentRef(message_id, 0, one.part)].level for one in sisters):
                    raise self.broken(
                        "4 no trail", f"{segment.name} stands at {part.state.name}, its trail does not say why"
                    )
        for sentence in await complaints(store):
            raise self.broken("7 books", sentence)
