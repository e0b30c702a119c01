"""Receipts whose segment is not known: kept under everything they may be found by.

That is each match key of their id, and the end of each number they name (`tel:2345678`). `waits` says whether anything
is to be expected: 1 a submit_sm_resp that is owed, 2 the form of the operator's ids, 3 twins, 0 nothing (an orphan).

Twins are segments to one number whose responses were lost together: the count of their receipts tells what became of
them.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from esito.domain.belief import tails
from esito.domain.choosing import Candidate, pair
from esito.domain.decisions import Unmatched
from esito.domain.matching import Settlement
from esito.domain.message_ids import match_keys
from esito.domain.receipt import DeliveryReceipt
from esito.domain.states import MessageState
from esito.store.sql_connection import Connection
from esito.store.transactions.candidates import left_between, load_candidates
from esito.store.transactions.id_forms import hold
from esito.store.transactions.known_links import Links
from esito.store.transactions.trail import write_decisions


def number_key(tail: int) -> str:
    """Return under what a receipt is found that names a number with this end."""
    return f"tel:{tail:07d}"


def keys_of(receipt: DeliveryReceipt) -> list[str]:
    """Return everything under which a receipt may be found."""
    return [*(match_keys(receipt.smsc_message_id) or [""]), *map(number_key, tails(receipt))]


class StoredReceipt(NamedTuple):
    """A receipt as it is kept, without its octets."""

    trail: int
    """The row in which it is kept; they are numbered in the order in which receipts came."""
    received_at: int
    link: str
    smsc_id: str
    state: int | None
    stat: str
    error: str
    done_at: int | None
    flags: str
    source_addr: str
    destination_addr: str
    submitted_at: int | None

    @property
    def receipt(self) -> DeliveryReceipt:
        """What the domain settles."""
        return DeliveryReceipt(
            link=self.link,
            smsc_message_id=self.smsc_id,
            state=None if self.state is None else MessageState(self.state),
            stat=self.stat,
            error_code=self.error,
            addresses=(self.source_addr, self.destination_addr),
            submitted_at=self.submitted_at,
            done_at=self.done_at,
            received_at=self.received_at,
            flags=self.flags,
        )


def kept_under(connection: Connection, operator: int, keys: Iterable[str]) -> list[StoredReceipt]:
    """Return the receipts that are found under any of these keys, each once, in the order in which they came."""
    return in_order(connection.rows_for("unmatched_under", StoredReceipt, [(operator, key) for key in keys]))


def in_order(kept: Iterable[StoredReceipt]) -> list[StoredReceipt]:
    """Return receipts each once, in the order in which they came."""
    return sorted({one.trail: one for one in kept}.values())


def keep_unmatched(
    connection: Connection,
    links: Links,
    receipts: Sequence[DeliveryReceipt],
    unmatched: Sequence[Unmatched],
    row_of: dict[int, int],
) -> None:
    """Remember which rows of the trail (by the receipt's number) are of receipts whose segment is not known."""
    if not unmatched:
        return
    operators = {number: links.named(receipts[number].link).operator for number, _ in unmatched}
    connection.run_rows(
        "insert_unmatched",
        [
            (
                row_of[number],
                operators[number],
                *receipts[number].addresses,
                receipts[number].submitted_at,
                receipts[number].received_at,
                int(waits),
            )
            for number, waits in unmatched
        ],
    )
    connection.run_rows(
        "insert_unmatched_keys",
        [(operators[number], key, row_of[number]) for number, _ in unmatched for key in keys_of(receipts[number])],
    )


def forget_unmatched(connection: Connection, links: Links, matched: Sequence[tuple[int, DeliveryReceipt]]) -> None:
    """Note that receipts, each with the row it was kept in, have found their segment."""
    connection.run("delete_unmatched", trails=[row for row, _ in matched])
    connection.run_rows(
        "delete_unmatched_keys",
        [(links.named(receipt.link).operator, key, row) for row, receipt in matched for key in keys_of(receipt)],
    )


def unname_unmatched(connection: Connection, row: int) -> None:
    """Remove the numbers that an unmatched receipt names."""
    kept = connection.row("unmatched_addresses", tuple[int, str, str], trail=row)
    if kept is None:
        return
    operator, source, destination = kept
    named = DeliveryReceipt(link="", smsc_message_id="", state=None, addresses=(source, destination))
    connection.run_rows("delete_unmatched_keys", [(operator, number_key(tail), row) for tail in tails(named)])
    connection.run("unname_unmatched", trail=row)


MOST_TWINS = 200
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
    pairs = pair(receipts, _without_id(connection, operator, receipts, links.longest_wait_ms))
    for number, owner in pairs:
        settlement.settle_paired(number, receipts[number], owner)
    if pairs:
        origins = [one.trail for one in found]
        write_decisions(connection, links, receipts, settlement.decisions, origins=origins, at=at)
        forget_unmatched(connection, links, [(origins[number], receipts[number]) for number, _ in pairs])
    return [receipts[number].smsc_message_id for number, _ in pairs], len(settlement.decisions.recipients)


def _without_id(
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
    too_many = {tail for tail, many in found.items() if len(many) > MOST_TWINS}
    return [
        () if too_many.intersection(named := tails(receipt)) else [one for tail in named for one in found.get(tail, ())]
        for receipt in receipts
    ]
