"""Segments to one number whose responses were lost together: the count of their receipts tells what became of them."""

from collections.abc import Sequence

from esito.domain.belief import tails
from esito.domain.choosing import Candidate, pair
from esito.domain.matching import Settlement
from esito.domain.receipt import DeliveryReceipt
from esito.store.sql_connection import Connection
from esito.store.transactions.candidates import left_between, load_candidates
from esito.store.transactions.id_forms import hold
from esito.store.transactions.known_links import Links
from esito.store.transactions.trail import write_decisions
from esito.store.transactions.unmatched import forget_unmatched, kept_under, number_key

MOST = 200
"""Segments to one number that are paired with their receipts: of more, who could tell."""


def pair_twins(
    connection: Connection, links: Links, operator: int, kept: Sequence[DeliveryReceipt], at: int
) -> tuple[list[str], int]:
    """Settle what can be paired among the receipts that wait for the numbers of these ones.

    Return the ids that segments have got, and how many recipients moved.
    """
    keys = {number_key(tail) for receipt in kept for tail in tails(receipt)}
    found = kept_under(connection, operator, keys)
    receipts = [one.receipt for one in found]
    forms = hold(connection, links, {receipt.link for receipt in receipts})
    settlement = Settlement(links.rules, forms, at=at)
    pairs = pair(receipts, _uncertain(connection, operator, receipts, links.longest_wait_ms))
    for number, owner in pairs:
        settlement.settle_paired(number, receipts[number], owner)
    if pairs:
        origins = [one.trail for one in found]
        write_decisions(connection, links, receipts, settlement.decisions, origins=origins, at=at)
        forget_unmatched(connection, links, [(origins[number], receipts[number]) for number, _ in pairs])
    return [receipts[number].smsc_message_id for number, _ in pairs], len(settlement.decisions.recipients)


def _uncertain(
    connection: Connection, operator: int, receipts: Sequence[DeliveryReceipt], wait_ms: int
) -> list[Sequence[Candidate]]:
    """Return, for each receipt, the segments without an id whose number it names; none where not all are known."""
    windows: dict[int, tuple[int, int]] = {}
    for receipt in receipts:
        first, last = left_between(receipt, live=False, wait_ms=wait_ms)
        for tail in tails(receipt):
            before, after = windows.get(tail, (first, last))
            windows[tail] = min(first, before), max(last, after)
    wanted = [(tail, operator, tail, *window) for tail, window in windows.items()]
    found = load_candidates(connection, "many_by_tail", wanted) if wanted else {}
    too_many = {tail for tail, many in found.items() if len(many) > MOST}
    return [
        () if too_many.intersection(named := tails(receipt)) else [one for tail in named for one in found.get(tail, ())]
        for receipt in receipts
    ]
