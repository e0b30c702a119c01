"""Submitting: one `Submitter` per link keeps its window full and stores its answers.

A claim is committed before its submit_sm leaves, the answer as soon as it comes. A process
that dies in between leaves segments uncertain; it never submits one twice.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from datetime import tzinfo
from typing import NamedTuple

import structlog

from esito import metrics
from esito.domain.errors import Fenced, StoreUnavailable
from esito.domain.message import SegmentRef, Submission, SubmitAnswer, SubmitOutcome
from esito.domain.retrying import Refusals, Slows
from esito.domain.timing import Clock
from esito.lifecycle.answer_keeper import AnswerKeeper
from esito.lifecycle.payload_segments import PayloadSegments
from esito.lifecycle.query import QuerySender
from esito.links.lease_keeper import HeldLease
from esito.links.link_interface import FINISH_WITHIN
from esito.links.smpp_link import SmppLink
from esito.smpp.outgoing import USUAL, Concatenation, OutgoingSettings, submit_sm
from esito.smpp.pdu import Status, SubmitSm
from esito.smpp.responses import SubmitResponse
from esito.store.interface.store import Store

log = structlog.get_logger()

LOOK_EVERY = 0.25
"""Seconds between looks for work that is due, if nothing wakes us."""

CLAIM_AT_ONCE = 500

LOOKED_AT = 100
"""First tries that are looked at to tell whether most destinations are full ..."""
AT_LEAST = 20
"""... and the fewest that are enough."""


class Try(NamedTuple):
    """The token of a submit_sm: one try of one segment.

    It keeps a late response to an earlier try apart from that to the current one.
    """

    ref: SegmentRef
    attempts: int
    """How often it was tried before."""


class Fullness:
    """Tells whether the operator is full, or only some destinations.

    Only first tries count: repeated ones were refused before, and would soon be most of the responses.
    """

    def __init__(self) -> None:
        self._full: deque[bool] = deque(maxlen=LOOKED_AT)
        self._news = False

    def note(self, *, full: bool) -> None:
        """Note the response to a first try."""
        self._full.append(full)
        self._news = self._news or full

    @property
    def most_are_full(self) -> bool:
        """Whether most recent first tries found their destination full, and one of them since the last look."""
        news, self._news = self._news, False
        return news and len(self._full) >= AT_LEAST and 2 * sum(self._full) > len(self._full)


class Submitter:
    """Moves the work of one link from the store to the operator."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        link: SmppLink,
        outgoing: OutgoingSettings = USUAL,
        passed_over: Callable[[], frozenset[str]] = frozenset,
    ) -> None:
        """`passed_over`: the links whose place others take now."""
        self._store = store
        self._clock = clock
        self._link = link
        self._name = link.settings.name
        self._outgoing = outgoing
        self._payloads = PayloadSegments() if outgoing.concatenation is Concatenation.MESSAGE_PAYLOAD else None
        self._passed_over = passed_over
        self._answers = AnswerKeeper(store, self._name)
        self._fullness = Fullness()
        self._refusals = Refusals()
        self._awake = asyncio.Event()
        self._stopping = False
        self.held: HeldLease | None = None
        """The lease under which it submits; None if no other process can."""
        self.query_sender: QuerySender | None = None
        """Sends query_sm about segments without a receipt, if the link is set to."""

    def wake(self) -> None:
        """Look for work now: something was accepted, or the window has room."""
        self._awake.set()

    def stop(self) -> None:
        """Submit nothing more: a claim under way is given back, and `run` returns."""
        self._stopping = True
        self.wake()

    def revise(self, outgoing: OutgoingSettings, zone: tzinfo, *, asks: bool) -> None:
        """Make every submit_sm and query_sm so from now on, except how texts are concatenated.

        `zone`: of dates in answers to query_sm. `asks`: whether query_sm is sent at all.
        """
        self._outgoing = outgoing
        if self.query_sender is not None:
            self.query_sender.revise(outgoing, zone, asks=asks)

    async def run(self) -> None:
        """Submit until stopped. (Cancelling it during a claim would leave segments that are never submitted.)"""
        querying = (
            None
            if self.query_sender is None
            else asyncio.create_task(self.query_sender.run(), name=f"query-{self._name}")
        )
        try:
            await self._run()
        finally:
            if querying is not None:
                querying.cancel()

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
            self._submit(claimed)

    def _submit(self, claimed: Sequence[Submission]) -> None:
        """Submit what the link has room for; the rest was never written and is given back."""
        if self._payloads is not None:
            claimed, answers = self._payloads.first_of(claimed, at=self._clock.now())
            if answers:
                self._keep(answers)
        # After a suspension another process may have taken the link over: it submits what was not written.
        ours = not self._stopping and (self.held is None or self.held.fresh)
        room = self._link.room if ours else 0
        going, staying = claimed[:room], claimed[room:]
        if pdus := self._pdus(going):
            self._link.submit(pdus)
        if staying:
            now = self._clock.now()
            self._keep(
                [
                    SubmitAnswer(ref=one.ref, answer=SubmitOutcome.LATER, at=now, retry_at=now, attempts=one.attempts)
                    for one in staying
                ]
            )

    def _pdus(self, submissions: Sequence[Submission]) -> list[tuple[SubmitSm, Try]]:
        """Return the submit_sm. A segment that cannot be encoded is refused; the others go ahead."""
        pdus = []
        now = self._clock.now()
        for one in submissions:
            try:
                pdu = submit_sm(one, self._outgoing, at=now)
            except Exception:
                log.exception("segment_unfit", link=self._name, segment=one.ref)
                unfit = SubmitAnswer(
                    ref=one.ref, answer=SubmitOutcome.REFUSED, at=self._clock.now(), status=Status.ESME_RSYSERR,
                    attempts=one.attempts,
                )  # fmt: skip
                self._keep([unfit])
            else:
                pdus.append((pdu, Try(one.ref, one.attempts)))
        return pdus

    def submitted(self, responses: Sequence[SubmitResponse]) -> None:
        """Keep the operator's responses."""
        self._keep([self._answer(response) for response in responses])
        if self._fullness.most_are_full:
            self._link.slow_down()
        self.wake()

    def hand_over(self) -> None:
        """Put every answer that came into the store's queue, as receipts are about to follow."""
        self._answers.hand_over()

    def _answer(self, response: SubmitResponse) -> SubmitAnswer:
        """Return what a response means for its segment."""
        tried: Try = response.token
        ref, attempts, status, now = tried.ref, tried.attempts, response.status, self._clock.now()
        retries = self._link.settings.retries
        rule = retries.rule(status, nack=response.nack) if status else None
        if status is not None and not attempts:
            self._fullness.note(full=rule is not None and rule.slows is Slows.DESTINATION)
        retry_at = None
        if status and rule is not None:
            retry_at = rule.retry_at(now, self._refusals.before(ref, retries.line(status)))
        if retry_at is None:
            self._refusals.forget(ref)
        if status is None:
            answer = SubmitAnswer(ref=ref, answer=SubmitOutcome.UNCERTAIN, at=now, attempts=attempts)
        elif status == Status.ESME_ROK:
            answer = SubmitAnswer(
                ref=ref, answer=SubmitOutcome.ACCEPTED, at=now, smsc_message_id=response.message_id, attempts=attempts
            )
        elif retry_at is not None:
            answer = SubmitAnswer(
                ref=ref, answer=SubmitOutcome.LATER, at=now, status=status, retry_at=retry_at, attempts=attempts
            )
        else:
            answer = SubmitAnswer(ref=ref, answer=SubmitOutcome.REFUSED, at=now, status=status, attempts=attempts)
        metrics.submit_answered(self._name, answer.answer.name.lower())
        return answer

    def _keep(self, answers: Sequence[SubmitAnswer]) -> None:
        self._answers.keep(answers if self._payloads is None else self._payloads.with_others(answers))

    async def finish(self) -> None:
        """Return once every answer that came is kept, or after `FINISH_WITHIN` if the disk stays full."""
        await self._answers.finish(FINISH_WITHIN)
        if self.query_sender is not None:
            await self.query_sender.finish()
