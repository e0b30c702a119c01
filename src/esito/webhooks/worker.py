"""Makes the callbacks: takes what is due from the outbox, posts it, keeps how that ended, tries again later.

    store.callbacks: sort -> claim (leased) -> POST -> record -> done, due again, or dead

What is out when the process dies is out again after the next start, under the same webhook-id; nothing else is.
A turn records what has ended, sorts what is new and claims for the slots that are free. Slots are counted by
account, by address and by destination, so that slow receivers fill those of their account and nobody else's.
"""

import asyncio
import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Protocol

import structlog

from esito import __version__, metrics
from esito.clockwork import Alarm
from esito.domain.callback import ANSWER_KEPT, BUSY, GONE, Callback, Outcome, asked_pause, is_success, next_try
from esito.domain.errors import StoreFailed, StoreUnavailable
from esito.domain.slots import Slots
from esito.domain.timing import SECOND_MS, Clock
from esito.store.base import Store
from esito.store.callbacks import Turn, Wanted

log = structlog.get_logger()

LOOK_EVERY = 1.0
"""Seconds after which the outbox is looked at though nobody said that there is something."""

FAST_MS = 250.0
"""A destination that answers faster than this on average gets the larger number of slots."""

LEASE_MS = 120 * SECOND_MS
"""Far longer than an attempt may take."""

SORT_AT_ONCE = 1000

LANDING = 3.0
"""Seconds that callbacks which are out get to end when the process stops."""

AGENT = f"Esito/{__version__}"


class Attempt(Protocol):
    """How one request ended."""

    @property
    def status(self) -> int | None:
        """HTTP status; None: there was no answer."""

    @property
    def milliseconds(self) -> int:
        """How long it took."""

    @property
    def answer(self) -> bytes:
        """How the answer began."""

    @property
    def retry_after(self) -> str:
        """The header of that name; empty: there was none."""

    @property
    def final(self) -> bool:
        """Whether trying again is no use."""

    @property
    def error(self) -> str:
        """Why there was no answer."""

    @property
    def address(self) -> str:
        """Where the connection was made to."""


class Poster(Protocol):
    """Something that posts; it never follows, never retries, and ends within seconds."""

    async def start(self) -> None:
        """Make ready."""

    async def close(self) -> None:
        """Let go of every connection."""

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], /, *, account: int) -> Attempt:
        """Make one request for an account; what goes wrong is in the attempt."""


Sign = Callable[[str, str, int, bytes], str]
"""Secret, webhook-id, timestamp in seconds and body to `webhook-signature`."""


class CallbackWorker:
    """Makes the callbacks of one store."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        poster: Poster,
        sign: Sign,
        secret: str = "",
        currency: str = "EUR",
        chance: Callable[[], float] = random.random,
    ) -> None:
        """`secret` signs for accounts that have none; `chance` spreads the pauses between attempts."""
        self._outbox = store.callbacks
        self._clock = clock
        self._poster = poster
        self._sign = sign
        self._secret = secret
        self._currency = currency
        self._chance = chance
        self._woken = asyncio.Event()
        self._flights: dict[int, asyncio.Task[None]] = {}
        self._slots = Slots()
        self._pace: dict[int, float] = {}
        self._fast: set[int] = set()
        self._ended: list[Outcome] = []

    def wake(self) -> None:
        """Look into the outbox now; receipts were kept."""
        self._woken.set()

    @property
    def in_flight(self) -> int:
        """How many callbacks are out."""
        return len(self._flights)

    async def run(self) -> None:
        """Make callbacks until cancelled; what is out then gets a moment to end."""
        await self._poster.start()
        alarm = Alarm(self._clock, self.wake)
        try:
            await self._free_leases()
            while True:
                await self._turn(alarm)
        finally:
            alarm.close()
            await self._land()
            await self._poster.close()

    async def _free_leases(self) -> None:
        while True:
            try:
                freed = await self._outbox.free_leases(self._clock.now())
            except StoreUnavailable as error:
                log.warning("callbacks_put_off", reason=str(error))
                await asyncio.sleep(LOOK_EVERY)
            else:
                if freed:
                    log.info("callbacks_repeated", count=freed, reason="the process died while they were made")
                return

    async def _turn(self, alarm: Alarm) -> None:
        """Record, sort and claim; then wait until something has changed."""
        self._woken.clear()
        ended, self._ended = self._ended, []
        try:
            turn = await self._whole_turn(ended)
        except StoreFailed:
            raise
        except Exception as error:
            # Nothing of the turn has happened. A fault of ours here must not end what else the process does.
            self._ended = ended + self._ended
            log.warning("callbacks_put_off", reason=str(error), exc_info=not isinstance(error, StoreUnavailable))
            await asyncio.sleep(LOOK_EVERY)
            return
        metrics.CALLBACKS_GIVEN_UP.inc(turn.given_up)
        for callback in turn.claimed.callbacks:
            self._take_off(callback)
        if turn.sorted == SORT_AT_ONCE:
            return
        if turn.claimed.next_at is None:
            alarm.cancel()
        else:
            alarm.set(turn.claimed.next_at)
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_EVERY):
                await self._woken.wait()

    async def _whole_turn(self, ended: list[Outcome]) -> Turn:
        """Return what a turn came to. Should we be told to stop meanwhile, what it claims takes off all the same."""
        turning = asyncio.ensure_future(self._outbox.turn(ended, self._wanted(ended), sort=SORT_AT_ONCE))
        try:
            return await asyncio.shield(turning)
        except asyncio.CancelledError:
            await asyncio.wait({turning}, timeout=LANDING)
            if turning.done() and turning.exception() is not None:
                self._ended = ended + self._ended  # nothing of it has happened
            elif turning.done():
                for callback in turning.result().claimed.callbacks:
                    self._take_off(callback)
            raise

    def _wanted(self, ended: list[Outcome]) -> Wanted:
        return Wanted(
            at=self._clock.now(),
            lease_ms=LEASE_MS,
            slots=self._slots.copy(),
            fast=frozenset(self._fast),
            holding=frozenset(self._flights) | {one.callback.id for one in ended},
        )

    # -- one callback -----------------------------------------------------------------------

    def _take_off(self, callback: Callback) -> None:
        self._slots.take(callback.place)
        self._flights[callback.id] = asyncio.create_task(self._fly(callback))

    async def _fly(self, callback: Callback) -> None:
        at = self._clock.now()
        try:
            body = callback.content(self._currency)
            attempt = await self._poster.post(
                callback.url, body, self._headers(callback, body, at), account=callback.place.account
            )
            outcome = self._outcome(callback, at, attempt)
        except Exception as error:
            # Never thrown away: it counts as an attempt that failed, and is tried again.
            log.exception("callback_broke", callback=callback.id)
            outcome = self._failed(callback, at, f"{type(error).__name__}: {error}")
        finally:
            self._flights.pop(callback.id, None)
            self._slots.free(callback.place)
        self._ended.append(outcome)
        metrics.callback_tried(delivered=outcome.done, seconds=outcome.milliseconds / 1000)
        self._note_pace(callback.destination, outcome.milliseconds)
        self.wake()

    def _headers(self, callback: Callback, body: bytes, at: int) -> dict[str, str]:
        seconds = at // SECOND_MS
        headers = {
            "content-type": "application/json",
            "user-agent": AGENT,
            "webhook-id": callback.webhook_id,
            "webhook-timestamp": str(seconds),
            "Esito-Sequence": str(callback.sequence),
            "Esito-Attempt": str(callback.attempts + 1),
        }
        if secret := callback.secret or self._secret:
            headers["webhook-signature"] = self._sign(secret, callback.webhook_id, seconds, body)
        return headers

    def _outcome(self, callback: Callback, at: int, attempt: Attempt) -> Outcome:
        now = self._clock.now()
        return Outcome(
            callback=callback,
            at=at,
            ended_at=now,
            milliseconds=attempt.milliseconds,
            status=attempt.status,
            error=_plain(attempt.error),
            answer=attempt.answer[:ANSWER_KEPT],
            address=attempt.address,
            next_at=None if attempt.final else self._next_at(callback, at, now, attempt.status, attempt.retry_after),
        )

    def _failed(self, callback: Callback, at: int, error: str) -> Outcome:
        now = self._clock.now()
        next_at = self._next_at(callback, at, now, None)
        return Outcome(
            callback=callback, at=at, ended_at=now, milliseconds=0, status=None, error=_plain(error), next_at=next_at
        )

    def _next_at(self, callback: Callback, at: int, now: int, status: int | None, retry_after: str = "") -> int | None:
        if is_success(status) or status == GONE:
            return None
        first_at = at if callback.first_at is None else callback.first_at
        asked = asked_pause(retry_after, now) if status in BUSY else 0
        return next_try(tries=callback.tries + 1, first_at=first_at, now=now, chance=self._chance, asked=asked)

    def _note_pace(self, destination: int, milliseconds: int) -> None:
        """Remember how fast a destination answers; the last ten answers weigh most."""
        if len(self._pace) > 10_000:
            self._pace.clear()
            self._fast.clear()
        known = self._pace.get(destination, FAST_MS)
        self._pace[destination] = pace = known + (milliseconds - known) / 10
        if pace < FAST_MS:
            self._fast.add(destination)
        else:
            self._fast.discard(destination)

    async def _land(self) -> None:
        """Wait a moment for what is out and keep how it ended; what has not ended is repeated after the next start."""
        if self._flights:
            await asyncio.wait(list(self._flights.values()), timeout=LANDING)
        late = list(self._flights.values())
        for flight in late:
            flight.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        if self._ended:
            try:
                await self._outbox.record(self._ended)
            except StoreUnavailable as error:
                log.warning("callbacks_to_be_repeated", count=len(self._ended), reason=str(error))


def _plain(error: str) -> str:
    """Return a text that a database can hold: an error may quote half of a surrogate pair."""
    return error.encode("utf-8", "replace").decode()
