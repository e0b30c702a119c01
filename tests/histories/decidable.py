"""When a receipt is decidable: whose it is can be told from what the store was told, and so it must be told.

Everything here is about one operator; its links share their ids. The words:

* A receipt *names* the numbers that either of its addresses may mean: as it is, with "+" or "00" before it, or in
  national form, which two of our numbers may share. One without addresses names nobody.
* A submit_sm *is near* a receipt when it goes to a number that the receipt names (any, when it names nobody), when it
  left before the receipt came, and when the receipt carries no submit date, or one less than ten minutes from the
  moment it left. (An operator's clock is at most a minute off and its dates may count minutes, so that the true one is
  at most two minutes away. Between two and ten minutes nobody says what a store should think.)
* A submit_sm *may be meant* by a receipt when it is near, was not turned away, and either its id is not known (its
  response is owed, lost, or brought none) or its id and the receipt's agree in some reading: as written, but for case,
  but for zeros, or in another base.
* It *is meant by its very id* when it is near and the response brought exactly the id that the receipt carries. Of two
  with one id, one that had its last word before the true one left is not meant: the newest unfinished is.

A receipt is **decided** when the segment that it is really about is the only one that may be meant, or the only one
that is meant by its very id: the very id wins over another base and over any segment whose id is unknown.

It is **due** (it must have moved its segment, or have found it as far up the ladder) when it is decided and no
submit_sm of its operator that left before it came has its response owed; and at once, whatever is owed, when it names
the number, carries a submit date, is decided by its very id, and its segment has no last word yet. Not due are:

* a receipt without a known word, and one that does not count (an acknowledgement);
* a receipt that names nobody, unless the id that it carries is known in the operator's own base;
* a receipt without a submit date that came three days after its submit_sm had left or later, while that one's id is not
  known: no operator tries for so long;
* a receipt of an operator that writes its ids in another base than its receipts, once any of its receipts carries, as
  written, the id of something else: then its form contradicts itself in what we have seen, and need not be learned;
* a receipt about a segment that was handed over more than once, unless the one that it is about is the one whose
  response came, and is the newest;
* a receipt about a segment whose response is lost on a link that submits again what is uncertain: it may go on waiting;
* a receipt about a segment that is *spoiled*: another receipt, of which nobody could tell whose it is, may have been
  taken for this segment's (then it may bear that one's id);
* a receipt that was settled elsewhere when it was doubtful.

A receipt is **doubtful**, for ever, from the first moment at which it is not decided although nothing that may be meant
is owed a response, or although some other segment is meant by its very id. A doubtful receipt may be left undecided, or
be settled on anything that may be meant. One that is never doubtful must never be settled anywhere but on its own.
"""

from collections.abc import Iterable, Sequence
from functools import lru_cache

from tests.histories.truth import DAY, MINUTE, Attempt, Fate, Receipt, Segment

NEAR = 10 * MINUTE


def is_near(receipt: Receipt, attempt: Attempt) -> bool:
    """Tell whether number and date of a submit_sm, which left before it came, fit a receipt."""
    return (receipt.names is None or attempt.segment.msisdn in receipt.names) and (
        receipt.dated is None or abs(receipt.dated - attempt.left) < NEAR
    )


@lru_cache(maxsize=100_000)
def agree(one: str, other: str) -> bool:
    """Tell whether two ids may mean the same in some reading."""
    (text, *numbers), (other_text, *other_numbers) = _readings(one), _readings(other)
    return (
        text == other_text or numbers[0] == other_numbers[1] is not None or numbers[1] == other_numbers[0] is not None
    )


def _readings(smsc_id: str) -> tuple[str, int | None, int | None]:
    bare = smsc_id.lower().lstrip("0") or "0"
    return (
        bare,
        int(bare) if bare.isdecimal() else None,
        int(bare, 16) if set(bare) <= set("0123456789abcdef") else None,
    )


def same_text(one: str, other: str) -> bool:
    """Tell whether two ids are one but for case and zeros."""
    return _readings(one)[0] == _readings(other)[0]


def may_be_meant(receipt: Receipt) -> set[Segment]:
    """Return the segments that a receipt may be about, for all the store was told."""
    return {one.segment for one in receipt.near if _may_be_meant(receipt, one)}


def _may_be_meant(receipt: Receipt, one: Attempt) -> bool:
    if one.fate is Fate.ACCEPTED:
        return not one.told or agree(one.told, receipt.smsc_id)
    return one.fate is not Fate.TURNED_AWAY


def by_its_very_id(receipt: Receipt) -> set[Segment]:
    """Return the segments whose response brought the very id of the receipt, but for those finished long before."""
    very = {one.segment for one in receipt.near if one.told is not None and one.told == receipt.smsc_id != ""}
    if receipt.about is None or receipt.segment not in very:
        return very
    left = receipt.about.left
    return {one for one in very if one is receipt.segment or one.finished_at is None or one.finished_at >= left}


class Judge:
    """Keeps, of one history, which receipts are decided, due and doubtful."""

    def __init__(self) -> None:
        self.receipts: list[Receipt] = []
        self.contradicted: set[str] = set()
        """Operators whose receipts carry, as written, ids of something else."""

    def came(self, receipt: Receipt, attempts: Iterable[Attempt]) -> None:
        """Take note of a receipt; `attempts`: every submit_sm that has left."""
        operator = receipt.operator
        receipt.before = [
            one for one in attempts if one.segment.operator is operator and one.left < receipt.received_at
        ]
        receipt.near = [one for one in receipt.before if is_near(receipt, one)]
        self.receipts.append(receipt)

    def look(self, attempts: Sequence[Attempt]) -> list[Receipt]:
        """Look at all receipts again; return those that are due."""
        self._contradict(attempts)
        decided = [receipt for receipt in self.receipts if self._is_decided(receipt)]
        return [receipt for receipt in decided if self._is_due(receipt)]

    def _contradict(self, attempts: Sequence[Attempt]) -> None:
        for receipt in self.receipts:
            operator = receipt.operator
            if operator.writing.converts and any(
                one.told
                and one.segment.operator is operator
                and one.segment is not receipt.segment
                and same_text(one.told, receipt.smsc_id)
                for one in attempts
            ):
                self.contradicted.add(operator.name)

    @staticmethod
    def _is_decided(receipt: Receipt) -> bool:
        """Tell whether it is; if not, take note of what may come of it."""
        possible, very = may_be_meant(receipt), by_its_very_id(receipt)
        if receipt.about is not None and {receipt.segment} in (possible, very):
            return True
        owed = any(one.fate is Fate.OWED for one in receipt.near)
        others = possible - {receipt.segment}
        if not owed or very - {receipt.segment}:
            receipt.doubtful = True
        for one in others:
            if not owed or any(attempt.told for attempt in one.attempts):
                one.spoiled = True
        return False

    def _is_due(self, receipt: Receipt) -> bool:
        about, segment, operator = receipt.about, receipt.segment, receipt.operator
        if about is None or segment is None or receipt.state is None or not receipt.counts:
            return False
        if segment.spoiled or receipt.settled_on - {segment.ref} or about.fate is Fate.OWED:
            return False
        known = bool(about.told)
        if receipt.names is None and not (known and not operator.writing.converts):
            return False
        if not known and receipt.dated is None and receipt.received_at >= about.left + 3 * DAY:
            return False
        if operator.writing.converts and operator.name in self.contradicted:
            return False
        if not _is_the_newest(receipt, about, segment) or (about.fate is Fate.LOST and segment.again):
            return False
        unfinished = segment.finished_at is None
        if receipt.names and receipt.dated is not None and unfinished and by_its_very_id(receipt) == {segment}:
            return True
        return not any(one.fate is Fate.OWED for one in receipt.before)


def _is_the_newest(receipt: Receipt, about: Attempt, segment: Segment) -> bool:
    taken = segment.maybe_taken
    if len(segment.attempts) == 1 or taken == [about]:
        return receipt.received_at > segment.attempts[-1].left
    return (
        about.fate is Fate.ACCEPTED
        and about is segment.attempts[-1]
        and [one for one in taken if one.fate is Fate.ACCEPTED] == [about]
    )
