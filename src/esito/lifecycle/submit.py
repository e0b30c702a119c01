"""Submitting: one `Submitter` per link keeps its window full and its answers kept.

The intent to submit is committed before the submit_sm leaves, the answer right after it
came. A process that dies in between leaves uncertain segments, never doubled ones.
"""

import asyncio
from collections.abc import Callable, Sequence

import structlog

from esito import metrics
from esito.domain.errors import Fenced, StoreError, StoreUnavailable
from esito.domain.message import Answer, SegmentRef, Submission, SubmitAnswer
from esito.domain.timing import SECOND_MS, Clock
from esito.lifecycle.holding import Held
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
LONGEST_PAUSE_MS = 60 * SECOND_MS

COME_BACK = frozenset({Status.ESME_RTHROTTLED, Status.ESME_RMSGQFUL, Status.ESME_RSYSERR})
"""Refusals that pass: the segment is submitted again, less often each time."""


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
        self._attempts: dict[SegmentRef, int] = {}
        self._awake = asyncio.Event()
        self._answers: list[SubmitAnswer] = []
        self._keeping: asyncio.Task[None] | None = None
        self._stopping = False
        self.held: Held | None = None
        """Under which lease we submit; None where no other process can."""

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

    def _pdus(self, submissions: Sequence[Submission]) -> list[tuple[SubmitSm, SegmentRef]]:
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
                self._attempts[one.ref] = one.attempts
                pdus.append((pdu, one.ref))
        return pdus

    def submitted(self, outcomes: Sequence[SubmitOutcome]) -> None:
        """Take what the operator answered."""
        self._keep([self._answer(outcome) for outcome in outcomes])
        self.wake()

    def _answer(self, outcome: SubmitOutcome) -> SubmitAnswer:
        ref, status, now = outcome.token, outcome.status, self._clock.now()
        attempts = self._attempts.pop(ref, None)
        if status is None:
            answer = SubmitAnswer(ref=ref, answer=Answer.UNCERTAIN, at=now, attempts=attempts)
        elif status == Status.ESME_ROK:
            answer = SubmitAnswer(
                ref=ref, answer=Answer.ACCEPTED, at=now, smsc_message_id=outcome.message_id, attempts=attempts
            )
        elif status in COME_BACK:
            retry_at = now + min(SECOND_MS << min(attempts or 0, 6), LONGEST_PAUSE_MS)
            answer = SubmitAnswer(
                ref=ref, answer=Answer.LATER, at=now, status=status, retry_at=retry_at, attempts=attempts
            )
        else:
            answer = SubmitAnswer(ref=ref, answer=Answer.REFUSED, at=now, status=status, attempts=attempts)
        metrics.submit_answered(self._name, answer.answer.name.lower())
        return answer

    def _keep(self, answers: list[SubmitAnswer]) -> None:
        self._answers += answers if self._riding is None else self._riding.alight(answers)
        if self._keeping is None or self._keeping.done():
            self._keeping = asyncio.get_running_loop().create_task(self._keep_answers())

    async def _keep_answers(self) -> None:
        """Commit answers in the order they came, trying again while the store refuses."""
        while self._answers:
            answers, self._answers = self._answers, []
            try:
                await self._record(answers)
            except StoreUnavailable as error:
                log.warning("answers_put_off", link=self._name, count=len(answers), reason=str(error))
                self._answers = answers + self._answers
                await asyncio.sleep(LOOK_EVERY)

    async def _record(self, answers: Sequence[SubmitAnswer]) -> None:
        """Commit answers; one that the store cannot take is left out. Its segment is uncertain after the next start."""
        try:
            await self._store.record_answers(self._name, answers)
        except StoreError:
            raise
        except Exception:
            if len(answers) == 1:
                log.exception("answer_not_kept", link=self._name, segment=answers[0].ref)
            else:
                for one in answers:
                    await self._record([one])

    async def finish(self) -> None:
        """Wait until every answer that came is kept, but not for a disk that stays full.

        What is not kept then is uncertain after the next start, as after a crash.
        """
        if self._keeping is not None:
            await asyncio.wait({self._keeping}, timeout=FINISH_WITHIN)
