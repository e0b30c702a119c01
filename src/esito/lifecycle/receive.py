"""Receiving: from deliver_sm to a commit, and only then the response.

    bytes -> deliver_sm -> normalised receipt -> one transaction -> deliver_sm_resp

Nothing is acknowledged before it is kept (design 5), and all that is kept is acknowledged
with ESME_ROK, a PDU that cannot be read too: what can be done with it is done, and an error
would have the operator repeat it for ever, or give up the link. When the store cannot keep up we
say ESME_RMSGQFUL, which every operator takes as "later", and never 0x64 to 0x66, which
some take as final.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from time import perf_counter
from types import MappingProxyType

import structlog

from esito import metrics
from esito.domain.errors import StoreUnavailable
from esito.domain.receipt import DeliveryReceipt
from esito.domain.reply import Reply
from esito.domain.timing import Clock
from esito.lifecycle.relay import Relay
from esito.lifecycle.stop_words import stop_words
from esito.lifecycle.unmarked import Unmarked
from esito.smpp.incoming import USUAL, IncomingSettings
from esito.smpp.pdu import DataSm, DeliverSm, Status
from esito.smpp.receipts import DeliveryKind, kind_of, read_receipt
from esito.smpp.reply_text import read_reply
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
        incoming: Mapping[str, IncomingSettings] = MappingProxyType({}),
        relay: Relay | None = None,
        stopped: Callable[[], None] = lambda: None,
        moved: Callable[[], None] = lambda: None,
    ) -> None:
        """`incoming`: how each link's operator writes; `relay`: the way to the log, where there is one.

        `stopped` is called once a STOP is kept, `moved` once receipts that moved recipients are, or replies.
        """
        self._store = store
        self._clock = clock
        self._incoming = incoming
        self._unmarked = Unmarked(store)
        self._relay = relay
        self._stopped = stopped
        self._moved = moved
        self._words = stop_words()
        self._in_flight = 0

    def follow(self, incoming: Mapping[str, IncomingSettings]) -> None:
        """Read what these links bring so from now on; what a link brings that is being laid down is read as before."""
        self._incoming = {**self._incoming, **incoming}

    async def keep(self, link: str, pdus: Sequence[DeliverSm | DataSm]) -> list[int]:
        """Keep what a link brought; return the command_status of each response."""
        if self._in_flight + len(pdus) > MAX_IN_FLIGHT:
            return self._put_off(link, range(len(pdus)), len(pdus), "the store is behind")
        self._in_flight += len(pdus)
        try:
            return await self._keep(link, pdus)
        finally:
            self._in_flight -= len(pdus)

    async def _keep(self, link: str, pdus: Sequence[DeliverSm | DataSm]) -> list[int]:
        at = self._clock.now()
        receipts: list[DeliveryReceipt] = []
        replies: list[Reply] = []
        settings = self._incoming.get(link, USUAL)
        unmarked = await self._unmarked.among(link, pdus, at=at, settings=settings)
        for place, pdu in enumerate(pdus):
            if place in unmarked.undecided:
                continue
            if pdu.unreadable:
                log.warning("delivery_unreadable", link=link, sequence=pdu.sequence, octets=len(pdu.frame))
            if place in unmarked.receipts or kind_of(pdu) is not DeliveryKind.REPLY:
                receipts.append(read_receipt(pdu, link=link, at=at, settings=settings))
            else:
                replies.append(read_reply(pdu, link=link, at=at, settings=settings))
        try:
            await self._commit(link, receipts, replies)
        except StoreUnavailable as error:
            return self._put_off(link, range(len(pdus)), len(pdus), str(error))
        return self._put_off(link, unmarked.undecided, len(pdus), "whether these are receipts cannot be asked")

    @staticmethod
    def _put_off(link: str, places: Collection[int], count: int, reason: str) -> list[int]:
        """Return the statuses of all PDUs of a batch: later for those places, kept for the others."""
        if places:
            log.warning("receipts_put_off", link=link, count=len(places), reason=reason)
        return [Status.ESME_RMSGQFUL if place in places else Status.ESME_ROK for place in range(count)]

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
