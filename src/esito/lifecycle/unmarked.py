"""Receipts whose esm_class calls them a subscriber's message: some operators never set it.

A subscriber could write the text of a receipt too, so the text alone proves nothing. With an id of ours in the
parameter receipted_message_id, which no phone can write, it does.
"""

from collections.abc import Sequence
from typing import NamedTuple

from esito.domain.errors import StoreUnavailable
from esito.smpp.incoming import IncomingSettings, WithoutEsmClass
from esito.smpp.pdu import DataSm, DeliverSm
from esito.smpp.receipts import DeliveryKind, has_text_of_receipt, kind_of, receipted_id
from esito.store.base import Store


class Found(NamedTuple):
    """What was found among deliveries, by their place."""

    receipts: frozenset[int] = frozenset()
    undecided: frozenset[int] = frozenset()
    """Those that the store would have to be asked about, and it does not answer."""


class Unmarked:
    """Finds them."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def among(
        self, link: str, pdus: Sequence[DeliverSm | DataSm], *, at: int, settings: IncomingSettings
    ) -> Found:
        """Return which deliveries are receipts although esm_class denies it. The store is asked only about such."""
        rule, words = settings.without_esm_class, settings.words
        if rule is WithoutEsmClass.NEVER:
            return Found()
        alike = [
            n for n, pdu in enumerate(pdus) if kind_of(pdu) is DeliveryKind.REPLY and has_text_of_receipt(pdu, words)
        ]
        if rule is WithoutEsmClass.ALWAYS:
            return Found(frozenset(alike))
        named = {n: said for n in alike if (said := receipted_id(pdus[n]))}
        if not named:
            return Found()
        try:
            known = await self._store.knows_ids(link, list(named.values()), at=at)
        except StoreUnavailable:
            return Found(undecided=frozenset(named))
        return Found(frozenset(n for n, said in named.items() if said in known))
