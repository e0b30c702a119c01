"""What is known of an operator that bears on a batch of receipts, loaded before anything is decided.

Most receipts need one question for all of them: the segment under their very id. Only what that leaves open is
asked about further: other spellings, submit_sm whose response is owed, segments whose response was lost.
"""

from collections.abc import Iterable, Sequence
from operator import itemgetter

from esito.domain.belief import (
    SUBMIT_DATE_WITHIN_MS,
    OpenSubmission,
    Owed,
    is_addressed,
    is_named_first,
    is_sent_by,
    named_numbers,
    names_only,
    tails,
)
from esito.domain.choosing import Candidate
from esito.domain.matching import Settlement
from esito.domain.message_ids import canonical, shelves
from esito.domain.number_forms import is_same_line
from esito.domain.receipt import DeliveryReceipt
from esito.domain.timing import DAY_MS
from esito.store.tables.connection import Connection, SqlValue
from esito.store.tables.links import Links

ERASED = "0"
"""The number of a recipient whose number was erased: nobody is told of it any more."""

NOBODY = ""
"""The number of a segment that has the id of a receipt and cannot be meant."""


class Snapshot:
    """What is known of a batch of receipts."""

    def __init__(
        self,
        connection: Connection,
        links: Links,
        receipts: Sequence[DeliveryReceipt],
        settlement: Settlement,
        *,
        live: bool = False,
    ) -> None:
        """`live`: the receipts come straight from the operators, so whatever is known left before them.

        That holds whatever a clock says that has been set back since.
        """
        self._receipts = receipts if live else ()
        self._wait_ms = links.longest_wait_ms
        self._first = min([receipt.received_at for receipt in self._receipts], default=0)
        operator_of = {link: links.named(link).operator for link in {one.link for one in receipts}}
        self._operators = [operator_of[receipt.link] for receipt in receipts]
        self._connection = connection
        self.clear: set[int] = set()
        """Receipts whose one candidate has the very id and the number."""
        self.plain: set[int] = set()
        """Those of them whose outcome nothing that is owed or was lost can change."""
        self.candidates = self._under_their_ids(receipts, settlement)
        everything_is_plain = len(self.plain) == len(receipts)
        open_ = [] if everything_is_plain else [one for one in range(len(receipts)) if one not in self.plain]
        self._lost: set[int] = set()
        newest = max((receipt.received_at for receipt in receipts), default=0)
        self._owed = {one: self._load_owed(one, newest) for one in {self._operators[number] for number in open_}}
        self._uncertain = self._load_uncertain([(one, receipts[one]) for one in open_])
        if not everything_is_plain:
            self._leave_out_senders(receipts)
        self.queried_only = self._load_queried_only(receipts)
        """Segments of which a receipt says what only an answer to query_sm has told before."""

    def owed(self, number: int) -> Owed:
        """Return the submit_sm of the operator of a receipt whose responses are owed."""
        return self._owed[self._operators[number]]

    def uncertain(self, number: int) -> Sequence[Candidate]:
        """Return the segments without an id whose number a receipt may name."""
        return self._uncertain.get(number, ())

    def leaves_only(self, number: int, receipt: DeliveryReceipt, owner: Candidate) -> bool:
        """Tell whether nothing that is owed or was lost may be meant rather than the one candidate of a receipt.

        Of a plain receipt nobody need ask.
        """
        if number not in self.clear or self._uncertain.get(number):
            return False
        return not self.owed(number).rather(receipt, *owner.left)

    def addressed(self, number: int, receipt: DeliveryReceipt) -> tuple[DeliveryReceipt, Sequence[Candidate]]:
        """Return a receipt and the segments with its id that it may be about.

        Where an operator leaves the recipient's number out, the sender of a message is all that its receipt names: then
        it names nobody, but only of that sender's messages, and only if it can be about nothing sent to him.
        """
        mine = self.candidates.get(number, [])
        if not mine or not named_numbers(receipt) or any(is_addressed(receipt, one.msisdn) for one in mine):
            return receipt, mine
        if self._uncertain.get(number) or self.owed(number).may_bring(receipt):
            return receipt, mine
        senders = self._senders_of(mine)
        his = [one for one in mine if names_only(receipt, senders.get(one.message_id, ""))]
        return (receipt._replace(addresses=("", "")), his) if his else (receipt, mine)

    def _leave_out_senders(self, receipts: Sequence[DeliveryReceipt]) -> None:
        """Leave out segments to a number that a receipt names only as the sender of the message that it is about.

        So it is where somebody who sends is a recipient too: the number comes second, and the first one did not send
        the message. Where the id is its own, the first must have been sent something that may be meant, else it is a
        number of the operator's.
        """
        second: dict[int, list[Candidate]] = {}
        for found in (self.candidates, self._uncertain):
            for number, candidates in found.items():
                receipt = receipts[number]
                if number not in self.plain and len(named_numbers(receipt)) > 1:
                    second.setdefault(number, []).extend(
                        one
                        for one in candidates
                        if is_addressed(receipt, one.msisdn) and not is_named_first(receipt, one.msisdn)
                    )
        senders = self._senders_of([one for many in second.values() for one in many])
        for number, many in second.items():
            receipt = receipts[number]
            out = {one[:3] for one in many if not is_sent_by(receipt, senders.get(one.message_id, ""))}
            if out and self._may_be_about_the_first(number, receipt):
                mine = self.candidates.get(number, ())
                self.candidates[number] = [one._replace(msisdn=NOBODY) if one[:3] in out else one for one in mine]
            if number in self._uncertain:
                self._uncertain[number] = [one for one in self._uncertain[number] if one[:3] not in out]

    def _may_be_about_the_first(self, number: int, receipt: DeliveryReceipt) -> bool:
        """Tell whether something that was sent to the first number of a receipt has its id, or may have it."""
        first, _ = named_numbers(receipt)
        known = [*self.candidates.get(number, ()), *self._uncertain.get(number, ())]
        return any(is_same_line(first, one.msisdn) for one in known) or self.owed(number).is_owed(first)

    def _senders_of(self, candidates: Iterable[Candidate]) -> dict[int, str]:
        """Return the senders of these segments' messages, by message; those of none are left out."""
        messages = [(message_id,) for message_id in {one.message_id for one in candidates}]
        return dict(self._connection.ask_rows("senders", messages)) if messages else {}

    def _under_their_ids(
        self, receipts: Sequence[DeliveryReceipt], settlement: Settlement
    ) -> dict[int, list[Candidate]]:
        """Load the candidates from the shelf of each id, and from its other shelves where that is not clear."""
        own = [
            (number, self._operators[number], shelf)
            for number, receipt in enumerate(receipts)
            if (shelf := canonical(receipt.smsc_message_id))
        ]
        own.sort(
            key=itemgetter(2)
        )  # operators count upwards, so neighbours on the shelves are neighbours in the tables
        found = self._load("candidates_by_shelf", own)
        for number, candidates in found.items():
            receipt = receipts[number]
            if settlement.is_clear(receipt, candidates):
                self.clear.add(number)
                if settlement.is_plain(receipt, candidates[0]):
                    self.plain.add(number)
        if len({one[1:] for one in own}) < len(own):
            self._take_repetitions_from_plain(receipts)
        if len(self.clear) == len(receipts):
            return found
        others = [
            (number, self._operators[number], shelf)
            for number, receipt in enumerate(receipts)
            if number not in self.clear
            for shelf in shelves(receipt.smsc_message_id)[1:]
        ]
        if others:
            for number, more in self._load("candidates_by_shelf", others).items():
                found.setdefault(number, []).extend(more)
        return found

    def _take_repetitions_from_plain(self, receipts: Sequence[DeliveryReceipt]) -> None:
        """Let only the first receipt with an id be plain: the next may be about the next message that got it."""
        before: set[tuple[int, str]] = set()
        for number in sorted(self.clear):
            key = self._operators[number], receipts[number].smsc_message_id
            if key in before:
                self.plain.discard(number)
            before.add(key)

    def _load_queried_only(self, receipts: Sequence[DeliveryReceipt]) -> set[tuple[int, int, int]]:
        told = {
            one[:3] for number, many in self.candidates.items() for one in many if one.state == receipts[number].state
        }
        rows = self._connection.ask_rows("queried_only", list(told)) if told else ()
        return {(message_id, seq, part) for message_id, seq, part in rows}

    def _load_owed(self, operator: int, newest: int) -> Owed:
        rows = self._connection.ask("open_submissions", operator)
        lost = self._connection.number("has_uncertain", operator, newest - self._wait_ms)
        if lost:
            self._lost.add(operator)
        submissions = [OpenSubmission(msisdn, min(at, self._first) if self._receipts else at) for msisdn, at in rows]
        return Owed(submissions, lost=lost > 1)

    def _load_uncertain(self, receipts: Iterable[tuple[int, DeliveryReceipt]]) -> dict[int, list[Candidate]]:
        wanted: list[tuple[SqlValue, ...]] = []
        for number, receipt in receipts:
            operator = self._operators[number]
            if receipt.smsc_message_id and operator in self._lost:
                wanted += [
                    (number, operator, tail, *left_between(receipt, live=bool(self._receipts), wait_ms=self._wait_ms))
                    for tail in tails(receipt)
                ]
        return self._load("candidates_by_tail", wanted) if wanted else {}

    def _load(self, query: str, rows: Sequence[Sequence[SqlValue]]) -> dict[int, list[Candidate]]:
        found = load_candidates(self._connection, query, rows)
        if not self._receipts or not found:
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


def load_candidates(
    connection: Connection, query: str, rows: Sequence[Sequence[SqlValue]]
) -> dict[int, list[Candidate]]:
    """Load the candidates of every receipt of the batch, by the receipt's number."""
    answer = connection.ask_rows(query, rows)
    many = {(row[1], row[2]): [0] * row[9] for row in answer if row[9] > 1}
    links: dict[tuple[int, int], str] = {}
    for message_id, seq, part, state, link in sorted(connection.ask_rows("segment_states", list(many))):
        many[message_id, seq][part - 1] = state
        links.setdefault((message_id, seq), link)
    messages = [(message_id,) for message_id in {row[1] for row in answer}]
    wanting = {message_id for (message_id,) in connection.ask_rows("wanting_callbacks", messages)}
    found: dict[int, list[Candidate]] = {}
    by_id = query == "candidates_by_shelf"
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
