"""Receiving: from deliver_sm to a commit, and only then the response.

    bytes -> deliver_sm -> normalised receipt -> one transaction -> deliver_sm_resp

Nothing is acknowledged before it is kept (design 5). When the store cannot keep up we
say ESME_RMSGQFUL, which every operator takes as "later", and never 0x64 to 0x66, which
some take as final.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import tzinfo
from time import perf_counter

import structlog

from esito import metrics
from esito.domain.coding import USUAL_CODINGS, Codings
from esito.domain.errors import StoreUnavailable
from esito.domain.receipt import DeliveryReceipt
from esito.domain.reply import Reply
from esito.domain.states import STAT_WORDS, MessageState
from esito.domain.timing import Clock
from esito.lifecycle.relay import Relay
from esito.lifecycle.stop_words import stop_words
from esito.smpp.pdu import DataSm, DeliverSm, Status
from esito.smpp.receipts import Kind, kind_of, read_receipt
from esito.smpp.replies import read_reply
from esito.store.base import Store

log = structlog.get_logger()

MAX_IN_FLIGHT = 20_000
"""Receipts that wait for a commit, over all links, before we ask operators to come later."""


class Receiving:
    """Keeps what operators deliver."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        zones: dict[str, tzinfo],
        words: Mapping[str, Mapping[str, MessageState]] | None = None,
        codings: Mapping[str, Codings] | None = None,
        relay: Relay | None = None,
        stopped: Callable[[], None] = lambda: None,
        moved: Callable[[], None] = lambda: None,
    ) -> None:
        """`zones`: the zone of the dates in each link's receipts; `relay`: the way to the log, where there is one.

        `words` and `codings`: of links whose operators have some of their own.
        `stopped` is called once a STOP is kept, `moved` once receipts that moved recipients are, or replies.
        """
        self._store = store
        self._clock = clock
        self._zones = zones
        self._stat_words = words or {}
        self._codings = codings or {}
        self._relay = relay
        self._stopped = stopped
        self._moved = moved
        self._words = stop_words()
        self._in_flight = 0

    async def keep(self, link: str, pdus: Sequence[DeliverSm | DataSm]) -> list[int]:
        """Keep what a link brought; return the command_status of each response."""
        if self._in_flight + len(pdus) > MAX_IN_FLIGHT:
            log.warning("receipts_put_off", link=link, count=len(pdus), reason="the store is behind")
            return [Status.ESME_RMSGQFUL] * len(pdus)
        at = self._clock.now()
        receipts: list[DeliveryReceipt] = []
        replies: list[Reply] = []
        words, codings = self._stat_words.get(link, STAT_WORDS), self._codings.get(link, USUAL_CODINGS)
        for pdu in pdus:
            if kind_of(pdu) is Kind.REPLY:
                replies.append(read_reply(pdu, link=link, at=at, codings=codings))
            else:
                receipts.append(read_receipt(pdu, link=link, at=at, zone=self._zones[link], words=words))
        self._in_flight += len(pdus)
        try:
            await self._commit(link, receipts, replies)
        except StoreUnavailable as error:
            log.warning("receipts_put_off", link=link, count=len(pdus), reason=str(error))
            return [Status.ESME_RMSGQFUL] * len(pdus)
        finally:
            self._in_flight -= len(pdus)
        return [Status.ESME_ROK] * len(pdus)

    async def _commit(self, link: str, receipts: list[DeliveryReceipt], replies: list[Reply]) -> None:
        began = perf_counter()
        if receipts and self._relay is not None:
            await self._relay.keep(receipts)
        elif receipts:
            settled = await self._store.apply_receipts(receipts)
            metrics.receipts_kept(link, settled.verdicts, perf_counter() - began)
            if settled.moved:
                self._moved()
        # Last: should this be refused, all of them come again, and a receipt may be kept twice, a reply not.
        if replies:
            kept = await self._store.replies.keep(replies, self._words)
            self._moved()
            metrics.replies_kept(link, pieces=len(replies), whole=kept.responses, stops=kept.stops)
            if kept.stops:
                self._stopped()
