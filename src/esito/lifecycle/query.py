"""Sending query_sm: one `QuerySender` per link that is set to, beside its `Submitter`.

No query_sm leaves while a submit_sm is due; queries use at most a tenth of the window and of the throughput. An answer
is committed before the next query about the same segment; if the process dies before that, the segment is queried
again.
"""

import asyncio
import math
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from typing import NamedTuple, cast

import structlog

from esito import metrics
from esito.domain.errors import Fenced, StoreError, StoreUnavailable
from esito.domain.message import SegmentRef
from esito.domain.status_query import ASK_AGAIN_MS, Query, QueryAnswer, Reluctance
from esito.domain.timing import SECOND_MS, Clock
from esito.links.lease_keeper import HeldLease
from esito.links.smpp_link import SmppLink
from esito.smpp.outgoing import OutgoingSettings, query_sm
from esito.smpp.pdu import GenericNack, QuerySmResp, Status, status_name
from esito.smpp.responses import QueryToken, is_unknown_command, read_answer
from esito.store.interface.store import Store

log = structlog.get_logger()

SHARE = 10
"""One part in so many of window and throughput is for queries, but always one at a time."""

LOOK_EVERY = 0.5
"""Seconds between looks for segments to query."""

BUSY = frozenset({Status.ESME_RTHROTTLED, Status.ESME_RMSGQFUL, Status.ESME_RSYSERR})
"""Refusals that say nothing about the segment."""


class _Ready(NamedTuple):
    query: Query
    claimed_at: int


class QuerySender:
    """Sends the query_sm of one link, and stores their answers."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        link: SmppLink,
        outgoing: OutgoingSettings,
        zone: tzinfo,
        asks: bool = True,
        held: Callable[[], HeldLease | None] = lambda: None,
    ) -> None:
        """`zone`: of dates that name none. `asks`: whether query_sm is sent at all now.

        `held`: the lease under which the link runs, if there is one.
        """
        self._store = store
        self._clock = clock
        self._link = link
        self._name = link.settings.name
        self._outgoing = outgoing
        self._zone = zone
        self._asks = asks
        self._held = held
        self._reluctance = Reluctance()
        self._why = ""
        self._unknown_to: list[float] | None = None
        self._ready: deque[_Ready] = deque()
        self._asked: set[SegmentRef] = set()
        self._answers: list[QueryAnswer] = []
        self._next_at = 0.0
        self._awake = asyncio.Event()

    def revise(self, outgoing: OutgoingSettings, zone: tzinfo, *, asks: bool) -> None:
        """Use these settings from now on; `asks`: whether query_sm is sent at all."""
        self._outgoing, self._zone, self._asks = outgoing, zone, asks

    async def run(self) -> None:
        """Query until cancelled."""
        while True:
            try:
                await self._keep()
                await self._query_what_is_due()
            except (StoreUnavailable, Fenced) as error:
                log.warning("queries_put_off", link=self._name, reason=str(error))
                await asyncio.sleep(LOOK_EVERY)
            except Exception:  # a fault with one segment must not end all queries of the link
                log.exception("query_failed", link=self._name)
                await asyncio.sleep(LOOK_EVERY)
            await self._pause()

    async def finish(self) -> None:
        """Store the answers that came; what the store does not take is queried again."""
        try:
            await self._keep()
        except StoreError as error:
            log.warning("query_answers_not_kept", link=self._name, count=len(self._answers), reason=str(error))

    async def _pause(self) -> None:
        try:
            async with asyncio.timeout(LOOK_EVERY):
                await self._awake.wait()
        except TimeoutError:
            pass
        self._awake.clear()

    # -- queries ----------------------------------------------------------------------------

    async def _query_what_is_due(self) -> None:
        now = self._clock.now()
        self._publish_state(now)
        if not self._asks:
            self._ready.clear()  # they come up again if queries are resumed
            return
        while self._ready and now - self._ready[0].claimed_at >= ASK_AGAIN_MS // 2:
            self._ready.popleft()  # it comes up again
        if (room := self._room(now)) <= 0:
            return
        if not self._ready and not await self._store.queries_due(self._name, now):
            return
        if await self._store.due(self._name, now):
            return
        if not self._ready:
            held = self._held()
            lease = None if held is None else held.lease
            claimed = await self._store.claim_queries(self._name, limit=room, at=now, lease=lease)
            self._ready.extend(_Ready(one, now) for one in claimed)
        self._send(min(self._room(now), len(self._ready)))

    def _room(self, now: int) -> int:
        """Return how many query_sm may leave now."""
        held = self._held()
        if self._reluctance.holds(now) or self._unknown_to == self._bound() or not (held is None or held.fresh):
            return 0
        loop_now = asyncio.get_running_loop().time()
        if loop_now < self._next_at:
            return 0
        settings = self._link.settings
        share = max(1, settings.window * settings.sessions // SHARE)
        rate = self._link.throttle.rate
        paced = share if math.isinf(rate) else max(1, int(rate / SHARE))
        return min(self._link.room, share - len(self._asked), paced)

    def _send(self, count: int) -> None:
        if count <= 0:
            return
        queries = [self._ready.popleft().query for _ in range(count)]
        self._link.submit([(query_sm(one, self._outgoing), QueryToken(one.ref, self._on_answer)) for one in queries])
        self._asked.update(one.ref for one in queries)
        if not math.isinf(rate := self._link.throttle.rate):
            self._next_at = asyncio.get_running_loop().time() + count * SHARE / rate

    def _bound(self) -> list[float]:
        """Return since when the sessions are bound; a new bind changes the list."""
        return [one.since for one in self._link.sessions if one.state == "bound"]

    # -- answers ----------------------------------------------------------------------------

    def _on_answer(self, asked: QueryToken, pdu: QuerySmResp | GenericNack | None) -> None:
        """Take an answer; None: none came."""
        ref = cast("SegmentRef", asked.about)
        if ref not in self._asked:  # it came too late
            return
        self._asked.discard(ref)
        self._awake.set()
        now = self._clock.now()
        if pdu is None:
            self._refused(now, "unanswered", "no answer")
            return
        status = pdu.status or (Status.ESME_RUNKNOWNERR if isinstance(pdu, GenericNack) else 0)
        if not status:
            self._reluctance.answered()
            metrics.query_answered(self._name, "answered")
        elif is_unknown_command(pdu):
            self._unknown_to = self._bound()
            self._refused(now, "unknown", status_name(status))
        else:
            self._refused(now, "refused", status_name(status))
        if status not in BUSY:
            self._answers.append(QueryAnswer(ref, read_answer(pdu, link=self._name, zone=self._zone, at=now)))

    def _refused(self, now: int, answer: str, why: str) -> None:
        self._why = why
        self._reluctance.refused(now)
        metrics.query_answered(self._name, answer)

    def _publish_state(self, now: int) -> None:
        """Keep the link's `not_queried` up to date."""
        said = ""
        if not self._asks:
            pass
        elif self._unknown_to is not None and self._unknown_to == self._bound():
            said = f"unqueried: the SMSC does not know query_sm ({self._why}); it is asked again after the next bind"
        elif self._reluctance.holds(now):
            until = datetime.fromtimestamp(self._reluctance.until // SECOND_MS, UTC)
            said = (
                f"unqueried: query_sm is not answered ({self._why}); it is asked again at {until:%Y-%m-%d %H:%M:%S UTC}"
            )
        if said and not self._link.not_queried:
            log.warning("queries_held", link=self._name, reason=said)
        self._link.not_queried = said
        metrics.queries_held(self._name, held=bool(said))

    async def _keep(self) -> None:
        # Taken out first: if we are cancelled meanwhile, they must not be stored twice.
        answers, self._answers = self._answers, []
        if not answers:
            return
        try:
            moved = await self._store.record_query_answers(self._name, answers)
        except StoreUnavailable:
            self._answers = answers + self._answers
            raise
        log.debug("query_answers_kept", link=self._name, count=len(answers), moved=moved)
