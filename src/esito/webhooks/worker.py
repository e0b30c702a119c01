"""Sends the callbacks: claims what is due from the outbox, posts it, records the outcome, tries again later.

    store.callbacks: route -> claim (leased) -> POST -> record -> done, due again, or dead

Callbacks that are in flight when the process dies are sent again after the next start, under the same webhook-id; no
others are. A turn records outcomes, routes new callbacks to their destinations, and claims as many as there are free
slots. Slots are counted by account, address and destination, so slow receivers use up only those of their account.
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
from esito.store.interface.callback_store import ClaimRequest, Turn
from esito.store.interface.store import Store
from esito.webhooks.sender import Attempt

log = structlog.get_logger()

LOOK_EVERY = 1.0
"""Seconds after which the worker looks at the outbox without having been woken."""

FAST_MS = 250.0
"""A destination whose average answer is faster than this gets more slots."""

LEASE_MS = 120 * SECOND_MS
"""Far longer than an attempt may take, in milliseconds."""

ROUTE_AT_ONCE = 1000
"""New callbacks routed to their destinations in one turn."""

DRAIN_WITHIN = 3.0
"""Seconds that callbacks in flight have to end when the process stops."""

AGENT = f"Esito/{__version__}"


class Poster(Protocol):
    """Posts callbacks; it follows no redirect, never retries, and ends within seconds."""

    async def start(self) -> None:
        """Prepare, in the running event loop."""

    async def close(self) -> None:
        """Close every connection."""

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], /, *, account: int) -> Attempt:
        """Make one request for an account; return failures in the attempt."""


Sign = Callable[[str, str, int, bytes], str]
"""Takes secret, webhook-id, timestamp in seconds and body; returns `webhook-signature`."""


class CallbackWorker:
    """Sends the callbacks of one store."""

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
        """Take a `secret` for accounts without one of their own, and `chance`, which spreads the pauses."""
        self._outbox = store.callbacks
        self._clock = clock
        self._poster = poster
        self._sign = sign
        self._secret = secret
        self._currency = currency
        self._chance = chance
        self._woken = asyncio.Event()
        self._deliveries: dict[int, asyncio.Task[None]] = {}
        self._slots = Slots()
        self._speed: dict[int, float] = {}
        self._fast: set[int] = set()
        self._ended: list[Outcome] = []

    def wake(self) -> None:
        """Look at the outbox now: receipts were stored."""
        self._woken.set()

    @property
    def in_flight(self) -> int:
        """How many callbacks are in flight."""
        return len(self._deliveries)

    async def run(self) -> None:
        """Send callbacks until cancelled; those in flight then have a moment to end."""
        await self._poster.start()
        alarm = Alarm(self._clock, self.wake)
        try:
            await self._free_leases()
            while True:
                await self._turn(alarm)
        finally:
            alarm.close()
            await self._drain()
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
        """Record, route and claim; then wait until something changes."""
        self._woken.clear()
        ended, self._ended = self._ended, []
        try:
            turn = await self._whole_turn(ended)
        except StoreFailed:
            raise
        except Exception as error:
            # The turn was rolled back. A fault of ours here must not end the other jobs of the process.
            self._ended = ended + self._ended
            log.warning("callbacks_put_off", reason=str(error), exc_info=not isinstance(error, StoreUnavailable))
            await asyncio.sleep(LOOK_EVERY)
            return
        metrics.CALLBACKS_GIVEN_UP.inc(turn.given_up)
        for callback in turn.claimed.callbacks:
            self._start_delivery(callback)
        if turn.routed == ROUTE_AT_ONCE:
            return
        if turn.claimed.next_at is None:
            alarm.cancel()
        else:
            alarm.set(turn.claimed.next_at)
        with suppress(TimeoutError):
            async with asyncio.timeout(LOOK_EVERY):
                await self._woken.wait()

    async def _whole_turn(self, ended: list[Outcome]) -> Turn:
        """Return the result of a turn. If cancelled meanwhile, claimed callbacks are still sent."""
        turning = asyncio.ensure_future(self._outbox.turn(ended, self._wanted(ended), route=ROUTE_AT_ONCE))
        try:
            return await asyncio.shield(turning)
        except asyncio.CancelledError:
            await asyncio.wait({turning}, timeout=DRAIN_WITHIN)
            if turning.done() and turning.exception() is not None:
                self._ended = ended + self._ended  # the turn was rolled back
            elif turning.done():
                for callback in turning.result().claimed.callbacks:
                    self._start_delivery(callback)
            raise

    def _wanted(self, ended: list[Outcome]) -> ClaimRequest:
        return ClaimRequest(
            at=self._clock.now(),
            lease_ms=LEASE_MS,
            slots=self._slots.copy(),
            fast=frozenset(self._fast),
            holding=frozenset(self._deliveries) | {one.callback.id for one in ended},
        )

    # -- one callback -----------------------------------------------------------------------

    def _start_delivery(self, callback: Callback) -> None:
        self._slots.take(callback.place)
        self._deliveries[callback.id] = asyncio.create_task(self._deliver(callback))

    async def _deliver(self, callback: Callback) -> None:
        at = self._clock.now()
        try:
            body = callback.content(self._currency)
            attempt = await self._poster.post(
                callback.url, body, self._headers(callback, body, at), account=callback.place.account
            )
            outcome = self._outcome(callback, at, attempt)
        except Exception as error:
            # Never dropped: it counts as a failed attempt and is tried again.
            log.exception("callback_broke", callback=callback.id)
            outcome = self._failed(callback, at, f"{type(error).__name__}: {error}")
        finally:
            self._deliveries.pop(callback.id, None)
            self._slots.free(callback.place)
        self._ended.append(outcome)
        metrics.callback_tried(delivered=outcome.done, seconds=outcome.milliseconds / 1000)
        self._note_speed(callback.destination, outcome.milliseconds)
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
            error=_storable(attempt.error),
            answer=attempt.answer[:ANSWER_KEPT],
            address=attempt.address,
            next_at=None if attempt.final else self._next_at(callback, at, now, attempt.status, attempt.retry_after),
        )

    def _failed(self, callback: Callback, at: int, error: str) -> Outcome:
        now = self._clock.now()
        next_at = self._next_at(callback, at, now, None)
        return Outcome(
            callback=callback, at=at, ended_at=now, milliseconds=0, status=None, error=_storable(error), next_at=next_at
        )

    def _next_at(self, callback: Callback, at: int, now: int, status: int | None, retry_after: str = "") -> int | None:
        if is_success(status) or status == GONE:
            return None
        first_at = at if callback.first_at is None else callback.first_at
        asked = asked_pause(retry_after, now) if status in BUSY else 0
        return next_try(tries=callback.tries + 1, first_at=first_at, now=now, chance=self._chance, asked=asked)

    def _note_speed(self, destination: int, milliseconds: int) -> None:
        """Update the average time of a destination's answers; the last ten weigh most."""
        if len(self._speed) > 10_000:
            self._speed.clear()
            self._fast.clear()
        known = self._speed.get(destination, FAST_MS)
        self._speed[destination] = pace = known + (milliseconds - known) / 10
        if pace < FAST_MS:
            self._fast.add(destination)
        else:
            self._fast.discard(destination)

    async def _drain(self) -> None:
        """Wait a moment for callbacks in flight and record them; the rest are repeated after the next start."""
        if self._deliveries:
            await asyncio.wait(list(self._deliveries.values()), timeout=DRAIN_WITHIN)
        late = list(self._deliveries.values())
        for flight in late:
            flight.cancel()
        await asyncio.gather(*late, return_exceptions=True)
        if self._ended:
            try:
                await self._outbox.record(self._ended)
            except StoreUnavailable as error:
                log.warning("callbacks_to_be_repeated", count=len(self._ended), reason=str(error))


def _storable(error: str) -> str:
    """Return a text that a database can store: an error may quote half of a surrogate pair."""
    return error.encode("utf-8", "replace").decode()
