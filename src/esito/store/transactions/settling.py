"""Receipts and conclusions: load what is known, let the domain decide, write it down.

All of it happens inside the writer's transaction, so that what a receipt changes and
the receipt itself are kept together or not at all.
"""

from collections.abc import Iterable, Mapping, Sequence

from esito.domain.belief import tails
from esito.domain.decisions import Decisions, Waits
from esito.domain.matching import Settlement, decide
from esito.domain.message import SegmentRef
from esito.domain.message_ids import canonical
from esito.domain.number_forms import tail_of
from esito.domain.operator_habits import Learned
from esito.domain.receipt import DeliveryReceipt
from esito.store.interface.message_records import Settled
from esito.store.sql_connection import Connection
from esito.store.transactions.candidates import load_candidates, load_known
from esito.store.transactions.id_forms import hold, keep_learned, knows_form
from esito.store.transactions.known_links import LinkRegistry, Links
from esito.store.transactions.trail import write_decisions
from esito.store.transactions.unmatched import (
    StoredReceipt,
    forget_unmatched,
    in_order,
    keep_unmatched,
    kept_under,
    number_key,
    pair_twins,
)

AT_ONCE = 500
"""Unmatched receipts that one transaction looks at again, beside those that what happened concerns."""


class Settling:
    """The transaction behind `Store.apply_receipts`."""

    def __init__(self, registry: LinkRegistry) -> None:
        self._registry = registry

    def __call__(self, connection: Connection, batches: Sequence[Sequence[DeliveryReceipt]]) -> list[Settled]:
        """Settle the receipts of all batches in the order they came; tell each caller of its own."""
        links = self._registry.now
        decisions = settle(connection, links, [receipt for batch in batches for receipt in batch], live=True)
        ends, end = [], 0
        for batch in batches:
            end += len(batch)
            ends.append(end)
        return _shares(decisions, ends)


def settle(
    connection: Connection, links: Links, receipts: Sequence[DeliveryReceipt], *, live: bool = False
) -> Decisions:
    """Settle receipts in the order they came; `live`: straight from the operators, not through a log."""
    forms = hold(connection, links, {receipt.link for receipt in receipts})
    known = load_known(connection, links, receipts, forms, live=live)
    decisions = decide(receipts, known, links.rules)
    rows = write_decisions(connection, links, receipts, decisions)
    row_of = {line.receipt: rows[place] for place, line in enumerate(decisions.trail)}
    keep_unmatched(connection, links, receipts, decisions.unmatched, row_of)
    at = max((receipt.received_at for receipt in receipts), default=0)
    _learn(connection, links, decisions.learned, at)
    if decisions.identified:
        keys = {number_key(tail) for receipt in receipts for tail in tails(receipt)}
        for operator in {links.named(link).operator for link in forms}:
            _tell_twins_apart(connection, links, operator, keys, at)
    _pair_twins(
        connection, links, [receipts[number] for number, waits in decisions.unmatched if waits is Waits.TWINS], at
    )
    return decisions


def told(decisions: Decisions) -> Settled:
    """Return what a whole batch came to."""
    verdicts: dict[str, int] = {}
    for line in decisions.trail:
        verdicts[line.verdict] = verdicts.get(line.verdict, 0) + 1
    return Settled(len(decisions.recipients), verdicts)


def conclude(connection: Connection, links: Links, conclusions: Sequence[tuple[SegmentRef, DeliveryReceipt]]) -> int:
    """Move segments by conclusions of our own; return how many recipients moved."""
    if not conclusions:
        return 0
    receipts = [conclusion for _, conclusion in conclusions]
    forms = hold(connection, links, {receipt.link for receipt in receipts})
    candidates = load_candidates(
        connection, "candidates_by_ref", [(number, *ref) for number, (ref, _) in enumerate(conclusions)]
    )
    settlement = Settlement(links.rules, forms)
    for number, receipt in enumerate(receipts):
        settlement.infer(number, receipt, candidates.get(number, ()))
    write_decisions(connection, links, receipts, settlement.decisions)
    return len(settlement.decisions.recipients)


def look_again(
    connection: Connection,
    links: Links,
    operator: int,
    *,
    at: int,
    match_keys: Iterable[str] = (),
    msisdns: Iterable[str] = (),
    cleared: Iterable[str] = (),
    waiting: bool | None = None,
) -> int:
    """Settle the receipts that waited for what has just become known of an operator; return how many recipients moved.

    `match_keys`: the ids of responses; `msisdns`: the numbers of segments that have become uncertain (E.164 digits);
    `cleared`: those of segments that are uncertain no more; `waiting`: whether any receipt waits for a response, where
    that is known. Whatever else was parked is looked at once no submit_sm is owed any more that left before it came.
    """
    keys = {*match_keys, *(number_key(tail_of(msisdn)) for msisdn in msisdns)}
    kept = kept_under(connection, operator, keys)
    if connection.number("has_waiting", operator=operator, waits=Waits.RESPONSE) if waiting is None else waiting:
        kept = in_order([*kept, *connection.rows("released", StoredReceipt, operator=operator, limit=AT_ONCE)])
    moved = _adopt(connection, links, kept, at)
    return moved + _tell_twins_apart(connection, links, operator, {number_key(tail_of(one)) for one in cleared}, at)


def release(connection: Connection, links: Links, operator: int, *, at: int) -> None:
    """Look at receipts that were too many for the transaction in which it became known what they waited for."""
    look_again(connection, links, operator, at=at)
    if connection.number("has_waiting", operator=operator, waits=Waits.FORM) and knows_form(
        connection, links, operator
    ):
        kept = _undecided(connection, operator)
        _adopt(connection, links, kept, at)
        # What is not decided now never is by the form: it is found by its id and its number only.
        connection.run_rows("wait_no_more", [(one.trail,) for one in kept])


def _tell_twins_apart(connection: Connection, links: Links, operator: int, keys: Iterable[str], at: int) -> int:
    """Settle the receipts for which several segments fitted, now that there are fewer.

    `keys`: of the numbers of those that are uncertain no more.
    """
    wanted = list(keys)
    if not wanted or not any(
        connection.number("has_waiting", operator=operator, waits=one) for one in (Waits.TWINS, Waits.FORM)
    ):
        return 0
    return _adopt(connection, links, kept_under(connection, operator, wanted), at)


def _pair_twins(connection: Connection, links: Links, kept: Sequence[DeliveryReceipt], at: int) -> int:
    """Settle receipts that wait, once there are as many as segments that they may mean; return how many moved.

    `kept`: those that have just begun to wait.
    """
    moved = 0
    for operator in {links.named(receipt.link).operator for receipt in kept}:
        mine = [receipt for receipt in kept if links.named(receipt.link).operator == operator]
        paired, count = pair_twins(connection, links, operator, mine, at)
        moved += count
        if paired:  # what is said again of them has an id to go by now
            moved += look_again(connection, links, operator, at=at, match_keys=[canonical(one) for one in paired])
    return moved


def _adopt(connection: Connection, links: Links, kept: Sequence[StoredReceipt], at: int) -> int:
    """Settle receipts that were kept before, in the order in which they came."""
    if not kept:
        return 0
    origins = [one.trail for one in kept]
    receipts = [one.receipt for one in kept]
    forms = hold(connection, links, {receipt.link for receipt in receipts})
    decisions = decide(receipts, load_known(connection, links, receipts, forms), links.rules, at=at)
    # What finds nobody goes on waiting, or waits no more; its row in the trail says already that it came.
    waiting = dict(decisions.unmatched)
    decisions.trail = [line for line in decisions.trail if line.receipt not in waiting]
    write_decisions(connection, links, receipts, decisions, origins=origins, at=at)
    connection.run_rows("keep_waiting", [(origins[number], int(waits)) for number, waits in waiting.items()])
    forget_unmatched(
        connection,
        links,
        [(origins[number], receipt) for number, receipt in enumerate(receipts) if number not in waiting],
    )
    twins = [receipts[number] for number, waits in waiting.items() if waits is Waits.TWINS]
    return (
        len(decisions.recipients)
        + _learn(connection, links, decisions.learned, at)
        + _pair_twins(connection, links, twins, at)
    )


def _learn(connection: Connection, links: Links, learned: Mapping[str, Learned], at: int) -> int:
    """Keep what receipts taught of the operators' ids; a form that is known now decides what was ambiguous."""
    return sum(
        _adopt(connection, links, _undecided(connection, operator), at)
        for operator in keep_learned(connection, links, learned)
    )


def _undecided(connection: Connection, operator: int) -> list[StoredReceipt]:
    """Return some of the receipts that wait for the form of the operator's ids."""
    rows = connection.rows("undecided", StoredReceipt, operator=operator, waits=Waits.FORM, limit=AT_ONCE)
    return in_order(rows)


def _shares(decisions: Decisions, ends: Sequence[int]) -> list[Settled]:
    """Divide what a batch came to among those who brought it; `ends`: the first receipt behind each one's."""
    shares = [Settled(0, {}) for _ in ends]
    owner = [place for place, end in enumerate(ends) for _ in range(end - (ends[place - 1] if place else 0))]
    for line in decisions.trail:
        verdicts = shares[owner[line.receipt]].verdicts
        verdicts[line.verdict] = verdicts.get(line.verdict, 0) + 1
    moved = [0] * len(ends)
    for mover in decisions.movers:
        moved[owner[mover]] += 1
    return [Settled(count, share.verdicts) for count, share in zip(moved, shares, strict=True)]
