"""Receiving: from deliver_sm to a commit, and only then the response.

    bytes -> deliver_sm -> normalised receipt -> one transaction -> deliver_sm_resp

Nothing is acknowledged before it is kept, and everything that is kept is acknowledged with
ESME_ROK, an unreadable PDU too: an error would have the operator repeat it for ever, or give
up the link. When the store cannot keep up we answer ESME_RMSGQFUL, which every operator takes
as "later", and never 0x64 to 0x66, which some take as final.
"""

import tomllib
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache
from importlib.resources import files
from time import perf_counter
from types import MappingProxyType
from typing import NamedTuple

import structlog

from esito import metrics
from esito.domain.errors import StoreUnavailable
from esito.domain.opt_out import StopWords
from esito.domain.receipt import DeliveryReceipt
from esito.domain.reply import Reply
from esito.domain.timing import Clock
from esito.receipt_log.publisher import Publisher
from esito.smpp.incoming import USUAL, IncomingSettings, WithoutEsmClass
from esito.smpp.pdu import DataSm, DeliverSm, Status
from esito.smpp.receipts import DeliveryKind, has_text_of_receipt, kind_of, read_receipt, receipted_id
from esito.smpp.reply_text import read_reply
from esito.store.interface.store import Store

log = structlog.get_logger()

MAX_IN_FLIGHT = 20_000
"""Deliveries that wait for a commit, over all links, before operators are asked to come later."""


@cache
def stop_words() -> StopWords:
    """Return the words that mean STOP in every language (`data/stop_words.toml`)."""
    text = files("esito").joinpath("data", "stop_words.toml").read_text(encoding="utf-8")
    return StopWords(word for words in tomllib.loads(text).values() for word in words)


class _Unmarked(NamedTuple):
    """Places of deliveries that esm_class calls a subscriber's message and that read like a receipt."""

    receipts: frozenset[int] = frozenset()
    undecided: frozenset[int] = frozenset()
    """Only the store could tell, and it does not answer."""


class Receiver:
    """Keeps what operators deliver."""

    def __init__(
        self,
        *,
        store: Store,
        clock: Clock,
        incoming: Mapping[str, IncomingSettings] = MappingProxyType({}),
        publisher: Publisher | None = None,
        on_stop: Callable[[], None] = lambda: None,
        on_moved: Callable[[], None] = lambda: None,
    ) -> None:
        """`incoming`: how each link's operator writes. `publisher`: the way to the receipt log, if there is one.

        `on_stop` is called once a STOP is kept; `on_moved` once replies are, or receipts that moved recipients.
        """
        self._store = store
        self._clock = clock
        self._incoming = incoming
        self._publisher = publisher
        self._on_stop = on_stop
        self._on_moved = on_moved
        self._words = stop_words()
        self._in_flight = 0

    def follow(self, incoming: Mapping[str, IncomingSettings]) -> None:
        """Read what these links bring so from now on; links that are being stopped are read as before."""
        self._incoming = {**self._incoming, **incoming}

    async def keep(self, link: str, pdus: Sequence[DeliverSm | DataSm]) -> list[int]:
        """Keep what a link delivered; return the command_status of each response."""
        if self._in_flight + len(pdus) > MAX_IN_FLIGHT:
            return self._put_off(link, range(len(pdus)), len(pdus), "the store is behind")
        self._in_flight += len(pdus)
        try:
            receipts, replies, undecided = await self._read(link, pdus)
            if receipts:
                await self._keep_receipts(link, receipts)
            # Last: if this is refused all of them come again; a receipt may be kept twice, a reply may not.
            if replies:
                await self._keep_replies(link, replies)
        except StoreUnavailable as error:
            return self._put_off(link, range(len(pdus)), len(pdus), str(error))
        finally:
            self._in_flight -= len(pdus)
        return self._put_off(link, undecided, len(pdus), "whether these are receipts cannot be asked")

    @staticmethod
    def _put_off(link: str, places: Collection[int], count: int, reason: str) -> list[int]:
        """Return the statuses for a batch: "later" for these places, ESME_ROK for the others."""
        if places:
            log.warning("receipts_put_off", link=link, count=len(places), reason=reason)
        return [Status.ESME_RMSGQFUL if place in places else Status.ESME_ROK for place in range(count)]

    async def _read(
        self, link: str, pdus: Sequence[DeliverSm | DataSm]
    ) -> tuple[list[DeliveryReceipt], list[Reply], Collection[int]]:
        """Return receipts, replies, and the places of those that cannot be told apart now."""
        at = self._clock.now()
        receipts: list[DeliveryReceipt] = []
        replies: list[Reply] = []
        settings = self._incoming.get(link, USUAL)
        unmarked = await self._unmarked(link, pdus, at=at, settings=settings)
        for place, pdu in enumerate(pdus):
            if place in unmarked.undecided:
                continue
            if pdu.unreadable:
                log.warning("delivery_unreadable", link=link, sequence=pdu.sequence, octets=len(pdu.frame))
            if place in unmarked.receipts or kind_of(pdu) is not DeliveryKind.REPLY:
                receipts.append(read_receipt(pdu, link=link, at=at, settings=settings))
            else:
                replies.append(read_reply(pdu, link=link, at=at, settings=settings))
        return receipts, replies, unmarked.undecided

    async def _unmarked(
        self, link: str, pdus: Sequence[DeliverSm | DataSm], *, at: int, settings: IncomingSettings
    ) -> _Unmarked:
        """Find receipts that esm_class calls a subscriber's message, as some operators never set it.

        A subscriber could write the text of a receipt too, so the text alone proves nothing. With an id of ours in the
        TLV receipted_message_id, which no phone can write, it does; the store is asked only then.
        """
        rule, words = settings.without_esm_class, settings.words
        if rule is WithoutEsmClass.NEVER:
            return _Unmarked()
        alike = [
            n for n, pdu in enumerate(pdus) if kind_of(pdu) is DeliveryKind.REPLY and has_text_of_receipt(pdu, words)
        ]
        if rule is WithoutEsmClass.ALWAYS:
            return _Unmarked(frozenset(alike))
        named = {n: said for n in alike if (said := receipted_id(pdus[n]))}
        if not named:
            return _Unmarked()
        try:
            known = await self._store.knows_ids(link, list(named.values()), at=at)
        except StoreUnavailable:
            return _Unmarked(undecided=frozenset(named))
        return _Unmarked(frozenset(n for n, said in named.items() if said in known))

    async def _keep_receipts(self, link: str, receipts: list[DeliveryReceipt]) -> None:
        began = perf_counter()
        if self._publisher is not None:
            await self._publisher.publish(receipts)
            return
        settled = await self._store.apply_receipts(receipts)
        metrics.receipts_kept(link, settled.verdicts, perf_counter() - began)
        if settled.moved:
            self._on_moved()

    async def _keep_replies(self, link: str, replies: list[Reply]) -> None:
        kept = await self._store.replies.keep(replies, self._words)
        self._on_moved()
        metrics.replies_kept(link, pieces=len(replies), whole=kept.responses, stops=kept.stops)
        if kept.stops:
            self._on_stop()
