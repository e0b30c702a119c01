"""Stores the answers to submit_sm in the order in which they came.

An answer must be in the store's queue before a receipt that came after it, or the receipt finds no
segment and is parked. So answers wait here only while earlier ones of their link are being
committed, which lets many share a transaction; before receipts are kept, all are handed over.
"""

import asyncio
from collections.abc import Awaitable, Sequence

import structlog

from esito.domain.errors import StoreError, StoreUnavailable
from esito.domain.message import SubmitAnswer
from esito.store.interface.store import Store

log = structlog.get_logger()

TRY_AGAIN_AFTER = 0.25
"""Seconds after which refused answers are handed over again, unless a receipt comes first."""


class AnswerKeeper:
    """Stores the answers of one link."""

    def __init__(self, store: Store, link: str) -> None:
        self._store = store
        self._link = link
        self._waiting: list[SubmitAnswer] = []
        self._refused: list[SubmitAnswer] = []
        """Answers that the store could not keep; they go before later ones."""
        self._handed_over: set[asyncio.Task[None]] = set()
        self._again: asyncio.TimerHandle | None = None

    @property
    def refused(self) -> int:
        """How many answers the store has refused; they are tried again."""
        return len(self._refused)

    def keep(self, answers: Sequence[SubmitAnswer]) -> None:
        """Store answers; they wait while others are being committed or the store refuses."""
        self._waiting += answers
        if not self._handed_over and self._again is None:
            self.hand_over()

    def hand_over(self) -> None:
        """Put every waiting answer into the store's queue, ahead of what is put there after this call."""
        if self._again is not None:
            self._again.cancel()
            self._again = None
        answers = self._refused + self._waiting
        self._refused, self._waiting = [], []
        if answers:
            self._hand_over(answers)

    def _hand_over(self, answers: Sequence[SubmitAnswer]) -> None:
        task = asyncio.get_running_loop().create_task(self._see_through(self._record(answers), answers))
        self._handed_over.add(task)
        task.add_done_callback(self._done)

    def _record(self, answers: Sequence[SubmitAnswer]) -> Awaitable[int]:
        """Put answers into the store's queue now; a refusal is raised by the awaitable, not here."""
        try:
            return self._store.record_answers(self._link, answers)
        except StoreUnavailable as error:
            refused: asyncio.Future[int] = asyncio.get_running_loop().create_future()
            refused.set_exception(error)
            return refused

    async def _see_through(self, kept: Awaitable[int], answers: Sequence[SubmitAnswer]) -> None:
        """Wait until answers are kept; the segment of one that the store cannot take is uncertain after a restart."""
        try:
            await kept
        except StoreUnavailable as error:
            self._put_off(answers, error)
        except StoreError as error:
            log.warning("answers_not_kept", link=self._link, count=len(answers), reason=str(error))
        except Exception:
            if len(answers) == 1:
                log.exception("answer_not_kept", link=self._link, segment=answers[0].ref)
            else:
                # One after the other: what is handed over together fails together.
                for one in answers:
                    await self._see_through(self._record([one]), [one])

    def _put_off(self, answers: Sequence[SubmitAnswer], error: StoreUnavailable) -> None:
        log.warning("answers_put_off", link=self._link, count=len(answers), reason=str(error))
        self._refused += answers
        if self._again is None:
            self._again = asyncio.get_running_loop().call_later(TRY_AGAIN_AFTER, self.hand_over)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._handed_over.discard(task)
        if not self._handed_over and self._again is None:
            self.hand_over()

    async def finish(self, patience: float) -> None:
        """Return once every answer that came is kept, or after `patience` seconds if the disk stays full.

        Segments whose answer is not kept are uncertain after the next start, as after a crash.
        """
        try:
            async with asyncio.timeout(patience):
                while self._handed_over or self._refused:
                    if self._handed_over:
                        await asyncio.wait(self._handed_over)
                    await asyncio.sleep(0.01 if self._refused else 0)
        except TimeoutError:
            log.warning("answers_left", link=self._link, count=len(self._refused) + len(self._waiting))
