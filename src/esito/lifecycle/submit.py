"""Submitting: one `Submitter` per link keeps its window full and its answers kept.

The intent to submit is committed before the submit_sm leaves, the answer right after it
came. A process that dies in between leaves uncertain segments, never doubled ones.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

import structlog

from esito import metrics
from esito.domain.errors import Fenced, StoreUnavailable
from esito.domain.message import Answer, SegmentRef, Submission, SubmitAnswer
from esito.domain.retrying import Refusals, Slows
from esito.domain.timing import Clock
from esito.lifecycle.answers import AnswerKeeper
from esito.lifecycle.holding import Held
from esito.lifecycle.query import Asker
from esito.lifecycle.riding import Riding
from esito.smpp.link import Link, SubmitOutcome
from esito.smpp.outgoing import USUAL, Concatenation, OutgoingSettings, submit_sm
from esito.smpp.pdu import Status, SubmitSm
from esito.store.base import Store

log = structlog.get_logger()

LOOK_EVERY = 0.25
"""Seconds between looks for scheduled and postponed work when nothing wakes us."""

FINISH_WITHIN = 5.0
"""Seconds that a stopping process gives the store to take the last answers."""

CLAIM_AT_ONCE = 500

LOOKED_AT = 100
"""First tries that tell whether most destinations are full ..."""
AT_LEAST = 20
"""... and how many are enough to tell."""


class Try(NamedTuple):
    """What is handed to the link with a submit_sm, and comes back with its answer: one try of one segment.

    A late answer to an earlier try is never taken for that to the try under way.
    """

    ref: SegmentRef
    attempts: int
    """How often it was tried before."""


class Fullness:
    """Whether it is the operator that is full, or only some destinations.

    Only first tries tell: what is tried again was refused before, and would soon be most of what is answered.
    """

    def __init__(self) -> None:
        self._full: deque[bool] = deque(maxlen=LOOKED_AT)
        self._news = False

    def note(self, *, full: bool) -> None:
        """Note the answer to a first try."""
        self._full.append(full)
        self._news = self._news or full

    @property
    def most_are_full(self) -> bool:
        """Whether most of the last first tries found their destination full, and one did since this was asked last."""
        news, self._news = self._news, False
        return news and len(self._full) >= AT_LEAST and 2 * sum(self._full) > len(self._full)


class Submitter:
    """Moves the work of one link from the store to the operator."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        link: Link,
        outgoing: OutgoingSettings = USUAL,
        passed_over: Callable[[], frozenset[str]] = frozenset,
    ) -> None:
        """`passed_over` names the links whose place others take now."""
        self._store = store
        self._clock = clock
        self._link = link
        self._name = link.settings.name
        self._outgoing = outgoing
        self._riding = Riding() if outgoing.concatenation is Concatenation.MESSAGE_PAYLOAD else None
        self._passed_over = passed_over
        self._answers = AnswerKeeper(store, self._name)
        self._fullness = Fullness()
        self._refusals = Refusals()
        self._awake = asyncio.Event()
        self._stopping = False
        self.held: Held | None = None
        """Under which lease we submit; None where no other process can."""
        self.asker: Asker | None = None
        """Asks the operator about what it has not reported on, while the link is set to."""

    def wake(self) -> None:
        """Look for work now: something was accepted, or the window has opened."""
        self._awake.set()

    def stop(self) -> None:
        """Submit nothing more: what is being claimed goes back, and `run` returns."""
        self._stopping = True
        self.wake()

    def write(self, outgoing: OutgoingSettings) -> None:
        """Let every submit_sm be like this from now on; how texts are concatenated stays."""
        self._outgoing = outgoing

    async def run(self) -> None:
        """Submit until stopped. (Cancelled in the middle of a claim it would leave segments that nobody submits.)"""
        asking = None if self.asker is None else asyncio.create_task(self.asker.run(), name=f"ask-{self._name}")
        try:
            await self._run()
        finally:
            if asking is not None:
                asking.cancel()

    async def _run(self) -> None:
        while not self._stopping:
            try:
                await self._submit_what_fits()
            except (StoreUnavailable, Fenced) as error:
                log.warning("submission_put_off", link=self._name, reason=str(error))
                await asyncio.sleep(LOOK_EVERY)
            except Exception:  # a fault over one segment must not leave all others of the link waiting
                log.exception("submission_failed", link=self._name)
                await asyncio.sleep(LOOK_EVERY)
            await self._pause()

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(LOOK_EVERY):
                await self._awake.wait()
        except TimeoutError:
            pass
        self._awake.clear()

    async def _submit_what_fits(self) -> None:
        while not self._stopping and (room := min(self._link.room, CLAIM_AT_ONCE)) > 0:
            now = self._clock.now()
            passed_over = self._passed_over()
            if not await self._store.due(self._name, now, passed_over):
                return
            lease = None if self.held is None else self.held.lease
            claimed = await self._store.claim(self._name, limit=room, at=now, lease=lease, passed_over=passed_over)
            if not claimed:
                return
            self._hand_over(claimed)

    def _hand_over(self, claimed: Sequence[Submission]) -> None:
        """Give the link what it still has room for; the rest was never written and goes back."""
        if self._riding is not None:
            claimed, answers = self._riding.board(claimed, at=self._clock.now())
            if answers:
                self._keep(answers)
        # Should we have slept since, another may have taken the link over: what was not written is better left to it.
        ours = not self._stopping and (self.held is None or self.held.fresh)
        room = self._link.room if ours else 0
        going, staying = claimed[:room], claimed[room:]
        if pdus := self._pdus(going):
            self._link.submit(pdus)
        if staying:
            now = self._clock.now()
            self._keep(
                [
                    SubmitAnswer(ref=one.ref, answer=Answer.LATER, at=now, retry_at=now, attempts=one.attempts)
                    for one in staying
                ]
            )

    def _pdus(self, submissions: Sequence[Submission]) -> list[tuple[SubmitSm, Try]]:
        """Return the submit_sm; a segment of which none can be made is refused, and keeps no other waiting."""
        pdus = []
        now = self._clock.now()
        for one in submissions:
            try:
                pdu = submit_sm(one, self._outgoing, at=now)
            except Exception:
                log.exception("segment_unfit", link=self._name, segment=one.ref)
                unfit = SubmitAnswer(
                    ref=one.ref, answer=Answer.REFUSED, at=self._clock.now(), status=Status.ESME_RSYSERR,
                    attempts=one.attempts,
                )  # fmt: skip
                self._keep([unfit])
            else:
                pdus.append((pdu, Try(one.ref, one.attempts)))
        return pdus

    def submitted(self, outcomes: Sequence[SubmitOutcome]) -> None:
        """Take what the operator answered."""
        self._keep([self._answer(outcome) for outcome in outcomes])
        if self._fullness.most_are_full:
            self._link.slow_down()
        self.wake()

    def hand_over(self) -> None:
        """Have every answer that came in the store's queue: receipts are about to follow it there."""
        self._answers.hand_over()

    def _answer(self, outcome: SubmitOutcome) -> SubmitAnswer:
        tried: Try = outcome.token
        ref, attempts, status, now = tried.ref, tried.attempts, outcome.status, self._clock.now()
        retries = self._link.settings.retries
        rule = retries.rule(status, nack=outcome.nack) if status else None
        if status is not None and not attempts:
            self._fullness.note(full=rule is not None and rule.slows is Slows.DESTINATION)
        retry_at = None
        if status and rule is not None:
            retry_at = rule.retry_at(now, self._refusals.before(ref, retries.line(status)))
        if retry_at is None:
            self._refusals.forget(ref)
        if status is None:
            answer = SubmitAnswer(ref=ref, answer=Answer.UNCERTAIN, at=now, attempts=attempts)
        elif status == Status.ESME_ROK:
            answer = SubmitAnswer(
                ref=ref, answer=Answer.ACCEPTED, at=now, smsc_message_id=outcome.message_id, attempts=attempts
            )
        elif retry_at is not None:
            answer = SubmitAnswer(
                ref=ref, answer=Answer.LATER, at=now, status=status, retry_at=retry_at, attempts=attempts
            )
        else:
            answer = SubmitAnswer(ref=ref, answer=Answer.REFUSED, at=now, status=status, attempts=attempts)
        metrics.submit_answered(self._name, answer.answer.name.lower())
        return answer

    def _keep(self, answers: Sequence[SubmitAnswer]) -> None:
        self._answers.keep(answers if self._riding is None else self._riding.alight(answers))

    async def finish(self) -> None:
        """Wait until every answer that came is kept, but not for a disk that stays full."""
        await self._answers.finish(FINISH_WITHIN)
        if self.asker is not None:
            await self.asker.finish()
