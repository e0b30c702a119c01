"""What is known of an operator that bears on a batch of receipts, loaded before anything is decided.

Most receipts need one question for all of them: the segment under their very id. Only what that leaves open is
asked about further: other spellings, submit_sm whose response is owed, segments whose response was lost.
"""

from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import NamedTuple

from esito.domain.belief import NOTHING_OWED, SUBMIT_DATE_WITHIN_MS, OpenSubmission, Owed, tails
from esito.domain.choosing import Candidate
from esito.domain.known import Candidates, Known, wants_senders
from esito.domain.matching import is_clear, is_plain
from esito.domain.message_ids import canonical, match_keys
from esito.domain.operator_habits import Learned
from esito.domain.receipt import DeliveryReceipt
from esito.domain.timing import DAY_MS
from esito.store.sql_connection import Connection, SqlValue
from esito.store.transactions.known_links import Links

ERASED = "0"
"""The number of a recipient whose number was erased: nobody is told of it any more."""


def load_known(
    connection: Connection,
    links: Links,
    receipts: Sequence[DeliveryReceipt],
    forms: Mapping[str, Learned],
    *,
    live: bool = False,
) -> Known:
    """Load what bears on a batch of receipts.

    `forms`: what is known of the operators' ids, by link. `live`: the receipts come straight from the operators, so
    whatever is known left before them, whatever a clock says that has been set back since.
    """
    return _Snapshot(connection, links, receipts, forms, live=live).load()


class _Snapshot:
    """Loads what is known of one batch."""

    def __init__(
        self,
        connection: Connection,
        links: Links,
        receipts: Sequence[DeliveryReceipt],
        forms: Mapping[str, Learned],
        *,
        live: bool,
    ) -> None:
        self._connection = connection
        self._receipts = receipts
        self._forms = forms
        self._live = live
        self._wait_ms = links.longest_wait_ms
        self._first = min((receipt.received_at for receipt in receipts), default=0)
        operator_of = {link: links.named(link).operator for link in {one.link for one in receipts}}
        self._operators = [operator_of[receipt.link] for receipt in receipts]
        self._clear: set[int] = set()
        self._plain: set[int] = set()
        self._lost: set[int] = set()

    def load(self) -> Known:
        receipts = self._receipts
        candidates = self._under_their_ids()
        queried_only = self._load_queried_only(candidates)
        if len(self._plain) == len(receipts):
            return Known(receipts, self._forms, candidates, plain=self._plain, queried_only=queried_only)
        open_ = [number for number in range(len(receipts)) if number not in self._plain]
        newest = max(receipt.received_at for receipt in receipts)
        owed = {one: self._load_owed(one, newest) for one in {self._operators[number] for number in open_}}
        uncertain = self._load_uncertain(open_)
        messages = wants_senders(receipts, self._plain, candidates, uncertain)
        senders = self._connection.rows_for("senders", tuple[int, str], [(one,) for one in messages])
        return Known(
            receipts,
            self._forms,
            candidates,
            clear=self._clear,
            plain=self._plain,
            owed=[owed.get(operator, NOTHING_OWED) for operator in self._operators],
            uncertain=uncertain,
            senders=dict(senders),
            queried_only=queried_only,
        )

    def _under_their_ids(self) -> dict[int, list[Candidate]]:
        """Load the candidates under the match key of each id, and under its other keys where that is not clear."""
        receipts = self._receipts
        own = [
            (number, self._operators[number], match_key)
            for number, receipt in enumerate(receipts)
            if (match_key := canonical(receipt.smsc_message_id))
        ]
        # Operators count upwards, so neighbours among the keys are neighbours in the tables.
        own.sort(key=itemgetter(2))
        found = self._load("candidates_by_match_key", own)
        for number, candidates in found.items():
            receipt = receipts[number]
            if is_clear(receipt, candidates, self._forms[receipt.link]):
                self._clear.add(number)
                if is_plain(receipt, candidates[0]):
                    self._plain.add(number)
        if len({one[1:] for one in own}) < len(own):
            self._take_repetitions_from_plain()
        if len(self._clear) == len(receipts):
            return found
        others = [
            (number, self._operators[number], match_key)
            for number, receipt in enumerate(receipts)
            if number not in self._clear
            for match_key in match_keys(receipt.smsc_message_id)[1:]
        ]
        if others:
            for number, more in self._load("candidates_by_match_key", others).items():
                found.setdefault(number, []).extend(more)
        return found

    def _take_repetitions_from_plain(self) -> None:
        """Let only the first receipt with an id be plain: the next may be about the next message that got it."""
        before: set[tuple[int, str]] = set()
        for number in sorted(self._clear):
            key = self._operators[number], self._receipts[number].smsc_message_id
            if key in before:
                self._plain.discard(number)
            before.add(key)

    def _load_queried_only(self, candidates: Candidates) -> set[tuple[int, int, int]]:
        told = {
            one[:3] for number, many in candidates.items() for one in many if one.state == self._receipts[number].state
        }
        return set(self._connection.rows_for("queried_only", tuple[int, int, int], told)) if told else set()

    def _load_owed(self, operator: int, newest: int) -> Owed:
        rows = self._connection.rows("open_submissions", OpenSubmission, operator=operator)
        lost = self._connection.number("has_uncertain", operator=operator, since=newest - self._wait_ms)
        if lost:
            self._lost.add(operator)
        if self._live:
            rows = [OpenSubmission(msisdn, min(at, self._first)) for msisdn, at in rows]
        return Owed(rows, lost=lost > 1)

    def _load_uncertain(self, numbers: Iterable[int]) -> dict[int, list[Candidate]]:
        wanted: list[tuple[SqlValue, ...]] = []
        for number in numbers:
            receipt, operator = self._receipts[number], self._operators[number]
            if receipt.smsc_message_id and operator in self._lost:
                window = left_between(receipt, live=self._live, wait_ms=self._wait_ms)
                wanted += [(number, operator, tail, *window) for tail in tails(receipt)]
        return self._load("candidates_by_tail", wanted) if wanted else {}

    def _load(self, query: str, rows: Sequence[Sequence[SqlValue]]) -> dict[int, list[Candidate]]:
        found = load_candidates(self._connection, query, rows)
        if not self._live or not found:
            return found
        if max([one.submitted_at for many in found.values() for one in many]) > self._first:
            for number, many in found.items():
                came = self._receipts[number].received_at
                found[number] = [
                    one._replace(
                        submitted_at=min(one.submitted_at, came), earlier=tuple(min(left, came) for left in one.earlier)
                    )
                    for one in many
                ]
        return found


def left_between(receipt: DeliveryReceipt, *, live: bool, wait_ms: int) -> tuple[int, int]:
    """Return between which instants the submit_sm of a receipt has left; a clock that was set back makes them later.

    `wait_ms`: how long its last word is waited for.
    """
    said, came = receipt.submitted_at, receipt.received_at + (DAY_MS if live else 0)
    if said is None:
        return receipt.received_at - wait_ms - DAY_MS, came
    return said - SUBMIT_DATE_WITHIN_MS, min(said + SUBMIT_DATE_WITHIN_MS, came)


class CandidateRow(NamedTuple):
    """A segment that a receipt of the batch may mean, as the questions for candidates have it."""

    receipt: int
    message_id: int
    seq: int
    part: int
    smsc_id: str
    msisdn: str
    state: int
    submitted_at: int
    recipient_state: int
    segments: int
    tries: str | None


def load_candidates(
    connection: Connection, query: str, rows: Sequence[Sequence[SqlValue]]
) -> dict[int, list[Candidate]]:
    """Load the candidates of every receipt of the batch, by the receipt's number."""
    answer = connection.rows_for(query, CandidateRow, rows)
    many = {(row.message_id, row.seq): [0] * row.segments for row in answer if row.segments > 1}
    links: dict[tuple[int, int], str] = {}
    states = connection.rows_for("segment_states", tuple[int, int, int, int, str], many) if many else []
    for message_id, seq, part, state, link in sorted(states):
        many[message_id, seq][part - 1] = state
        links.setdefault((message_id, seq), link)
    messages = [(message_id,) for message_id in {row.message_id for row in answer}]
    wanting = {message_id for (message_id,) in connection.rows_for("wanting_callbacks", tuple[int], messages)}
    found: dict[int, list[Candidate]] = {}
    by_id = query == "candidates_by_match_key"
    for number, message_id, seq, part, smsc_id, msisdn, state, submitted_at, recipient_state, segments, tries in answer:
        if segments > 1:
            known, link = tuple(many[message_id, seq]), links[message_id, seq]
        else:
            known, link = (state,), ""
        wants = message_id in wanting and msisdn != ERASED
        left, *earlier = _left(tries, submitted_at, by_id=by_id) if tries else (submitted_at,)
        told = message_id, seq, part, smsc_id, msisdn, state, left, recipient_state, wants, known, link, tuple(earlier)
        found.setdefault(number, []).append(tuple.__new__(Candidate, told))  # in half the time that the class takes
    return found


def _left(tries: str, last: int, *, by_id: bool) -> list[int]:
    """Return when the tries of a segment left: that which brought the id alone, if that is known and is asked about.

    `tries`: as the segment has them, '1:1764460800000 2:1764461520000', and at the end the attempt that brought the id.
    """
    earlier: dict[int, int] = {}
    brought = ""
    for word in tries.split():
        attempt, is_try, left = word.partition(":")
        if is_try:
            # What was handed out and never left is no attempt: the next one has its number again.
            earlier.setdefault(int(attempt), int(left))
        else:
            brought = attempt
    if by_id and brought:
        return [earlier.get(int(brought), last)]
    return [last, *earlier.values()]
