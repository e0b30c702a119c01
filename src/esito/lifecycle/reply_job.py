"""What is left to do once replies are kept: answer a STOP, give up long replies that stay incomplete.

A STOP is answered once, even if the process dies meanwhile: the answer is accepted under an
idempotency key of its own. The index of recipients by number is completed here too.
"""

import asyncio

import structlog

from esito.clockwork import sleep_until
from esito.domain.account import AccountState
from esito.domain.display import mask
from esito.domain.errors import AnsweredBefore, EsitoError, StoreUnavailable
from esito.domain.message import Once
from esito.domain.timing import SECOND_MS, Clock
from esito.lifecycle.accept import Acceptance, Accepted, Draft
from esito.lifecycle.receive import stop_words
from esito.store.interface.reply_store import StopAnswer
from esito.store.interface.store import Store

log = structlog.get_logger()

LOOK_EVERY_MS = 5 * SECOND_MS
AT_ONCE = 100

BREATH = 0.2
"""Seconds between two portions of recipients: sends go first, and five portions a second are enough."""


class ReplyJob:
    """Does what is due: at once when a STOP has come, else every few seconds of the clock."""

    def __init__(self, *, store: Store, clock: Clock, acceptance: Acceptance, stop_kept: asyncio.Event) -> None:
        """`stop_kept` is set by the receiver when there may be a STOP to answer."""
        self._store = store
        self._clock = clock
        self._acceptance = acceptance
        self._stop_kept = stop_kept

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            self._stop_kept.clear()
            await self.look()
            await self._wait()

    async def look(self) -> None:
        """Do everything that is due now."""
        try:
            await self._answer_stops()
            await self._give_up()
            while await self._store.replies.list_recipients(at=self._clock.now()):
                await asyncio.sleep(BREATH)
        except StoreUnavailable as error:
            log.warning("replies_put_off", reason=str(error))

    async def _wait(self) -> None:
        loop = asyncio.get_running_loop()
        woken = loop.create_task(self._stop_kept.wait())
        slept = loop.create_task(sleep_until(self._clock, self._clock.now() + LOOK_EVERY_MS))
        try:
            await asyncio.wait({woken, slept}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (woken, slept):
                task.cancel()
            await asyncio.gather(woken, slept, return_exceptions=True)

    async def _give_up(self) -> None:
        while given_up := await self._store.replies.give_up(stop_words(), at=self._clock.now(), limit=AT_ONCE):
            for one in given_up:
                log.warning("reply_incomplete", link=one.link, source=mask(one.source), missing=one.missing)

    async def _answer_stops(self) -> None:
        while answers := await self._store.replies.stop_answers(limit=AT_ONCE):
            for answer in answers:
                await self._store.replies.stop_answered(answer.number, await self._send(answer))

    async def _send(self, answer: StopAnswer) -> int | None:
        """Send one answer; return its message id, or None if it cannot be sent."""
        # No header of a client can hold this key: it has a control character.
        key = f"\x01stop answer {answer.number}"

        def once(_: Accepted) -> Once:
            return Once(key=key, request=b"", answer="{}")

        if answer.account.state is not AccountState.ACTIVE:
            log.warning("stop_not_answered", account=answer.account.name, reason=answer.account.state.value)
            return None
        draft = Draft(
            account=answer.account,
            texts=(answer.text,),
            numbers=[(answer.msisdn, 0)],
            sender=answer.sender,
            to_stopped=True,
        )
        try:
            return (await self._acceptance.accept(draft, once=once)).message_id
        except AnsweredBefore:
            before = await self._store.sending.answered_once(answer.account.id, key)
            return None if before is None else before.message_id
        except StoreUnavailable:
            raise
        except EsitoError as refusal:
            log.warning("stop_not_answered", account=answer.account.name, reason=str(refusal))
            return None
