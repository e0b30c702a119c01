"""Receipts and conclusions: load the candidates, let the domain decide, write it down.

All of it happens inside the writer's transaction, so that what a receipt changes and
the receipt itself are kept together or not at all.
"""

from collections.abc import Iterable, Sequence
from operator import itemgetter
from typing import Any, TypeVar

from esito.domain.matching import Candidate, Decisions, Settlement
from esito.domain.message import SegmentRef
from esito.domain.message_ids import canonical, shelves
from esito.domain.receipt import DeliveryReceipt
from esito.domain.states import MessageState
from esito.store.base import Settled
from esito.store.checksum import checksum
from esito.store.tables.connection import Connection, SqlValue
from esito.store.tables.links import FORM_OF_COLUMN, Links

ADOPT_AT_ONCE = 1000
"""Receipts, or segments without a response, that one transaction looks through."""

ERASED = "0"
"""The number of a recipient whose number was erased: nobody is told of it any more."""

_Move = TypeVar("_Move", bound=tuple[object, ...])


class Settling:
    """The handler behind `Store.apply_receipts`."""

    def __init__(self, links: Links) -> None:
        self._links = links

    def __call__(self, connection: Connection, batches: Sequence[Sequence[DeliveryReceipt]]) -> list[Settled]:
        """Settle the receipts of all batches in the order they came."""
        receipts = [receipt for batch in batches for receipt in batch]
        settled = settle(connection, self._links, receipts)
        nothing = Settled(0, {})
        return [settled, *[nothing] * (len(batches) - 1)]


def settle(connection: Connection, links: Links, receipts: Sequence[DeliveryReceipt]) -> Settled:
    """Settle receipts in the order they came."""
    links.hold(connection, {receipt.link for receipt in receipts})
    settlement = Settlement(links.rules, links.forms)
    candidates, clear = _on_the_shelves(connection, links, receipts, settlement)
    owed = _Owed(connection, links)
    for number, receipt in enumerate(receipts):
        if number in clear:
            settlement.settle_clear(number, receipt, candidates[number][0])
        elif mine := candidates.get(number, ()):
            # Nothing of these may fit after all, and then it may still be early.
            settlement.settle(number, receipt, mine, expected=owed.unless_same(receipt, mine))
        else:
            settlement.settle(
                number, receipt, (), expected=owed.by(receipt.link), uncertain=owed.uncertain(receipt.link)
            )
    _write(connection, links, receipts, settlement.decisions)
    _learn(connection, links)
    verdicts: dict[str, int] = {}
    for row in settlement.decisions.trail:
        verdicts[row.verdict] = verdicts.get(row.verdict, 0) + 1
    return Settled(len(settlement.decisions.recipients), verdicts)


def conclude(connection: Connection, links: Links, conclusions: Sequence[tuple[SegmentRef, DeliveryReceipt]]) -> int:
    """Move segments by conclusions of our own; return how many recipients moved."""
    if not conclusions:
        return 0
    receipts = [conclusion for _, conclusion in conclusions]
    links.hold(connection, {receipt.link for receipt in receipts})
    candidates = _candidates(
        connection, "candidates_by_ref", [(number, *ref) for number, (ref, _) in enumerate(conclusions)]
    )
    settlement = Settlement(links.rules, links.forms)
    for number, receipt in enumerate(receipts):
        settlement.infer(number, receipt, candidates.get(number, ()))
    _write(connection, links, receipts, settlement.decisions)
    return len(settlement.decisions.recipients)


def adopt(connection: Connection, links: Links, known: Sequence[tuple[int, str]], *, at: int) -> int:
    """Settle the receipts that waited for these (operator, canonical id) pairs; return how many recipients moved."""
    return _adopt(connection, links, connection.ask_rows("adoptable", known), at)


def _learn(connection: Connection, links: Links) -> None:
    """Keep what the receipts taught of the operators' ids; a form that is known now settles what was ambiguous."""
    for operator, learned, became_known in links.news():
        seen = [learned.seen[form] for form in FORM_OF_COLUMN]
        connection.run("keep_form", operator, *seen, learned.ambiguous)
        if became_known and learned.ambiguous:
            rows = connection.ask("ambiguous", operator, ADOPT_AT_ONCE)
            _adopt(connection, links, rows, max((row[1] for row in rows), default=0))


def _adopt(connection: Connection, links: Links, rows: Sequence[Sequence[Any]], at: int) -> int:
    if not rows:
        return 0
    origins = [row[0] for row in rows]
    receipts = [_kept_receipt(row, at) for row in rows]
    settlement = Settlement(links.rules, links.forms)
    candidates, _ = _on_the_shelves(connection, links, receipts, settlement)
    for number, receipt in enumerate(receipts):
        settlement.settle(number, receipt, candidates.get(number, ()), expected=True)
    decisions = settlement.decisions
    # What is still ambiguous goes on waiting, and its row in the trail already says so.
    waiting = set(decisions.unmatched)
    decisions.unmatched = []
    decisions.trail = [row for row in decisions.trail if row.receipt not in waiting]
    _write(connection, links, receipts, decisions, origins)
    adopted = [number for number in range(len(receipts)) if number not in waiting]
    connection.run("delete_unmatched", [origins[number] for number in adopted])
    connection.run_rows(
        "delete_unmatched_shelves",
        [
            (links.named(receipts[number].link).operator, shelf, origins[number])
            for number in adopted
            for shelf in shelves(receipts[number].smsc_message_id)
        ],
    )
    return len(decisions.recipients)


class _Owed:
    """Remembers, for one batch, which operators still owe a submit_sm_resp, and for whom it was lost."""

    def __init__(self, connection: Connection, links: Links) -> None:
        self._connection = connection
        self._links = links
        self._known: dict[int, bool] = {}
        self._uncertain: dict[int, list[Candidate]] = {}

    def by(self, link: str) -> bool:
        operator = self._links.named(link).operator
        if operator not in self._known:
            self._known[operator] = bool(self._connection.number("expected", operator))
        return self._known[operator]

    def unless_same(self, receipt: DeliveryReceipt, candidates: Sequence[Candidate]) -> bool:
        """Like `by`, but asks nothing for the usual receipt: one candidate, with the very id."""
        if len(candidates) == 1 and candidates[0].smsc_message_id == receipt.smsc_message_id:
            return False
        return self.by(receipt.link)

    def uncertain(self, link: str) -> list[Candidate]:
        """Return the segments of the link's operator whose response was lost."""
        operator = self._links.named(link).operator
        if operator not in self._uncertain:
            found: list[Candidate] = []
            if self.by(link):
                refs = self._connection.ask("uncertain", operator, ADOPT_AT_ONCE)
                rows = [(number, *ref) for number, ref in enumerate(refs)]
                for candidates in _candidates(self._connection, "candidates_by_ref", rows).values():
                    found += candidates
            self._uncertain[operator] = found
        return self._uncertain[operator]


def _kept_receipt(row: Sequence[Any], at: int) -> DeliveryReceipt:
    _, _, link, smsc_id, state, stat, error, done_at, flags, source, destination = row
    return DeliveryReceipt(
        link=link,
        smsc_message_id=smsc_id,
        state=None if state is None else MessageState(state),
        stat=stat,
        error_code=error,
        addresses=(source, destination),
        done_at=done_at,
        received_at=at,
        flags=flags,
    )


def _on_the_shelves(
    connection: Connection, links: Links, receipts: Sequence[DeliveryReceipt], settlement: Settlement
) -> tuple[dict[int, list[Candidate]], set[int]]:
    """Load the candidates from the shelf of each id, and from its other shelves where that is not clear.

    Return them, and which receipts were clear, all by the number of the receipt.
    """
    operator_of = {link: links.named(link).operator for link in {receipt.link for receipt in receipts}}
    operators = [operator_of[receipt.link] for receipt in receipts]
    own = [
        (number, operators[number], shelf)
        for number, receipt in enumerate(receipts)
        if (shelf := canonical(receipt.smsc_message_id))
    ]
    own.sort(key=itemgetter(2))  # operators count upwards, so neighbours on the shelves are neighbours in the tables
    found = _candidates(connection, "candidates_by_shelf", own)
    clear = {number for number, candidates in found.items() if settlement.is_clear(receipts[number], candidates)}
    others = [
        (number, operators[number], shelf)
        for number, receipt in enumerate(receipts)
        if number not in clear
        for shelf in shelves(receipt.smsc_message_id)[1:]
    ]
    if others:
        for number, candidates in _candidates(connection, "candidates_by_shelf", others).items():
            found.setdefault(number, []).extend(candidates)
    return found, clear


def _candidates(connection: Connection, query: str, rows: Sequence[Sequence[SqlValue]]) -> dict[int, list[Candidate]]:
    """Load the candidates of every receipt of the batch, by the receipt's number."""
    answer = connection.ask_rows(query, rows)
    many = {(row[1], row[2]): [0] * row[9] for row in answer if row[9] > 1}
    for message_id, seq, part, state in connection.ask_rows("segment_states", list(many)):
        many[message_id, seq][part - 1] = state
    messages = [(message_id,) for message_id in {row[1] for row in answer}]
    wanting = {message_id for (message_id,) in connection.ask_rows("wanting_callbacks", messages)}
    found: dict[int, list[Candidate]] = {}
    for number, message_id, seq, part, smsc_id, msisdn, state, submitted_at, recipient_state, segments in answer:
        known = tuple(many[message_id, seq]) if segments > 1 else (state,)
        wants = message_id in wanting and msisdn != ERASED
        candidate = Candidate(
            message_id, seq, part, smsc_id, msisdn, state, submitted_at, recipient_state, wants, known
        )
        found.setdefault(number, []).append(candidate)
    return found


def _write(
    connection: Connection,
    links: Links,
    receipts: Sequence[DeliveryReceipt],
    decisions: Decisions,
    origins: Sequence[int] = (),
) -> None:
    numbers = connection.ids("trail", len(decisions.trail))
    connection.run_rows("insert_trail", _trail_rows(links, receipts, decisions, origins, numbers))
    # In the order of their keys: whole pages at a time, and nobody waits for who waits for him.
    connection.run_rows(
        "move_segments",
        [
            (move.message_id, move.seq, move.part, move.state, move.done_at, move.error_code)
            for move in sorted(_last(decisions.segments, 3))
        ],
    )
    connection.run_rows("move_recipients", sorted(_last(decisions.recipients, 2)))
    connection.run_rows(
        "identify_segments",
        [(*ref, smsc_id, canonical(smsc_id), at) for *ref, smsc_id, at in decisions.identified],
    )
    connection.run_rows("insert_callbacks", decisions.callbacks)
    if decisions.unmatched:
        _keep_unmatched(connection, links, receipts, decisions, numbers)


def _trail_rows(
    links: Links,
    receipts: Sequence[DeliveryReceipt],
    decisions: Decisions,
    origins: Sequence[int],
    numbers: Sequence[int],
) -> Iterable[tuple[SqlValue, ...]]:
    link_ids = {link: links.named(link).id for link in {receipt.link for receipt in receipts}}
    for place, (number, verdict, flags, done_at, message_id, seq, part) in enumerate(decisions.trail):
        receipt = receipts[number]
        state = None if receipt.state is None else int(receipt.state)
        yield (
            numbers[place],
            receipt.received_at,
            link_ids[receipt.link],
            message_id,
            seq,
            part,
            verdict,
            receipt.smsc_message_id,
            state,
            receipt.stat,
            receipt.error_code,
            done_at,
            flags,
            origins[number] if origins else None,
            receipt.raw,
            checksum(
                received_at=receipt.received_at,
                verdict=verdict,
                smsc_id=receipt.smsc_message_id,
                state=state,
                error=receipt.error_code,
                message_id=message_id,
                seq=seq,
                part=part,
                raw=receipt.raw,
            ),
        )


def _keep_unmatched(
    connection: Connection,
    links: Links,
    receipts: Sequence[DeliveryReceipt],
    decisions: Decisions,
    numbers: Sequence[int],
) -> None:
    """Remember which trail rows wait; their ids are in the order of the trail."""
    row_of = {row.receipt: numbers[place] for place, row in enumerate(decisions.trail)}
    operators = {number: links.named(receipts[number].link).operator for number in decisions.unmatched}
    connection.run_rows(
        "insert_unmatched",
        [(row_of[number], operators[number], *receipts[number].addresses) for number in decisions.unmatched],
    )
    connection.run_rows(
        "insert_unmatched_shelves",
        [
            (operators[number], shelf, row_of[number])
            for number in decisions.unmatched
            for shelf in shelves(receipts[number].smsc_message_id) or [canonical("")]
        ],
    )


def _last(moves: Sequence[_Move], key: int) -> list[_Move]:
    """Keep only the last move of each segment or recipient: one UPDATE must not name a row twice."""
    return list({move[:key]: move for move in moves}.values())
