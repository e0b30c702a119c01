"""Which segment a receipt means.

An equal id comes first; then one that differs by case, zeros or the like. Another base is
only a hypothesis about the operator and comes last: when no open submit_sm could bring an
equal id, and no segment whose response was lost fits better. Number and time must fit in
every case (`belief`). Of several messages with one id the operator's submit date decides,
else the newest unfinished one is meant.
"""

from collections.abc import Callable, Sequence
from enum import Enum
from typing import NamedTuple

from esito.domain.belief import Owed, contradicts, fits, is_addressed, is_addressed_whole, is_dated, named_numbers
from esito.domain.message_ids import Spelling, spelling
from esito.domain.operator_habits import IdForm, Learned, says_nothing
from esito.domain.receipt import DeliveryReceipt
from esito.domain.states import FIRST_FINAL


class Candidate(NamedTuple):
    """A segment that a receipt may mean, found by its SMSC id or its number, with its recipient."""

    message_id: int
    seq: int
    part: int
    smsc_message_id: str
    """Empty if the operator has not told it."""
    msisdn: str
    """E.164 digits without the plus."""
    state: int
    submitted_at: int
    recipient_state: int
    wants_callback: int
    """1 when the message has a `urlDlr`."""
    states: tuple[int, ...]
    """States of all the recipient's segments, in order."""
    link: str = ""
    """The link that submitted the recipient's first segment; set if it has several segments."""
    earlier: tuple[int, ...] = ()
    """When earlier tries of it left that the receipt may be about."""

    @property
    def left(self) -> tuple[int, ...]:
        """When each try left that the receipt may be about."""
        return (self.submitted_at, *self.earlier)


StateOf = Callable[[Candidate], int]
"""The state of a segment after the receipts of the batch that are settled already."""


class Why(Enum):
    """Why a receipt means no segment, or none yet."""

    UNKNOWN = "no segment that it could be about"
    NUMBER = "a segment has its very id, and it names another number"
    OWED = "it may be about a submit_sm whose response is owed"
    FORM = "its id means different segments in different forms"
    TWINS = "several segments without an id fit equally well"


class Nobody(NamedTuple):
    """No segment is meant."""

    why: Why

    @property
    def flag(self) -> str:
        """The flag in the trail."""
        if self.why is Why.NUMBER:
            return "other_number"
        return "ambiguous" if self.why in {Why.FORM, Why.TWINS} else ""


class Choice(NamedTuple):
    """The segment that is meant."""

    owner: Candidate
    flag: str = ""
    """The flag in the trail."""
    identifies: bool = False
    """Whether the receipt brings the id that the lost response would have brought."""


Agreeing = list[tuple[Spelling, Candidate]]


def choose(
    receipt: DeliveryReceipt,
    candidates: Sequence[Candidate],
    *,
    known: Learned,
    owed: Owed,
    lost: Candidate | Nobody,
    state_of: StateOf,
) -> Choice | Nobody:
    """Return the one segment that a receipt means, and count what its id tells of the operator's form.

    `lost`: the segment without an id that fits the receipt's number and date (`identify`), or why there is none.
    """
    said = receipt.smsc_message_id
    if isinstance(lost, Candidate) and any(
        one[:2] == lost[:2] and one.smsc_message_id == said and not contradicts(receipt, *one.left)
        for one in candidates
    ):
        lost = Nobody(Why.UNKNOWN)  # another segment of the recipient has this id
    plain, other = _by_base(receipt, candidates, known)
    first, second = (other, plain) if known.is_another_base and not says_nothing(said) else (plain, other)
    if first and second and known.form is IdForm.AUTO and not named_numbers(receipt):
        return Nobody(Why.FORM)
    if first:
        return _among(receipt, first, known=known, owed=owed, lost=lost, state_of=state_of, decisive=not second)
    if isinstance(lost, Candidate) and not (second and known.form is IdForm.AUTO and _is_supported(second, known)):
        return Choice(lost, "matched_by_address", identifies=True)
    if second:
        return _hypothesis(receipt, second, known=known, owed=owed, lost=lost, state_of=state_of)
    if lost == Nobody(Why.UNKNOWN) and any(
        one.smsc_message_id == said and receipt.received_at >= min(one.left) for one in candidates
    ):
        return Nobody(Why.NUMBER)
    return lost if isinstance(lost, Nobody) else Nobody(Why.UNKNOWN)


def identify(receipt: DeliveryReceipt, uncertain: Sequence[Candidate], owed: Owed) -> Candidate | Nobody:
    """Return the segment without an id that fits a receipt's number and date, or why there is none.

    Of several segments of one recipient it is the first unfinished one.
    """
    fitting = _fitting(receipt, uncertain)
    if not fitting:
        return Nobody(Why.UNKNOWN)
    if owed.dated(receipt) or (receipt.submitted_at is None and owed.may_bring(receipt)):
        return Nobody(Why.OWED)
    if len({one[:2] for one in fitting}) > 1:
        return Nobody(Why.TWINS)
    return min(fitting, key=lambda one: (one.state >= FIRST_FINAL, one.part))


def pair(receipts: Sequence[DeliveryReceipt], uncertain: Sequence[Sequence[Candidate]]) -> list[tuple[int, Candidate]]:
    """Pair receipts of unknown ids with segments, if their number alone decides; return places and segments.

    That is so when as many ids as there are segments have the same final state, and each fits a segment of its own:
    then it makes no difference which id belongs to which. Receipts are in the order they came; `uncertain`: for each,
    the segments without an id whose number it names.
    """
    words: dict[int, dict[str, int]] = {}
    for place, receipt in enumerate(receipts):
        if receipt.state is None or receipt.state < FIRST_FINAL or not receipt.counts or not receipt.smsc_message_id:
            continue
        words.setdefault(receipt.state, {}).setdefault(receipt.smsc_message_id, place)
    return [
        found
        for places in words.values()
        for group in _connected(
            {place: sorted(_fitting(receipts[place], uncertain[place])) for place in places.values()}
        )
        for found in _matched(group)
    ]


Ref = tuple[int, int, int]
"""Message, seq and part of a segment."""

Fitting = dict[int, list[Candidate]]
"""The segments that each receipt fits, by its place."""


def _connected(fitting: Fitting) -> list[Fitting]:
    """Return the receipts in groups; receipts of two groups fit no common segment."""
    above: dict[Ref, Ref] = {}

    def top(ref: Ref) -> Ref:
        while (higher := above.setdefault(ref, ref)) != ref:
            above[ref] = above[higher]
            ref = higher
        return ref

    for segments in fitting.values():
        for one in segments[1:]:
            above[top(one[:3])] = top(segments[0][:3])
    groups: dict[Ref, Fitting] = {}
    for place, segments in fitting.items():
        if segments:
            groups.setdefault(top(segments[0][:3]), {})[place] = segments
    return list(groups.values())


def _matched(fitting: Fitting) -> list[tuple[int, Candidate]]:
    """Give each receipt of a group a segment of its own; return nothing if a receipt or a segment is left over."""
    segments = {one[:3]: one for members in fitting.values() for one in members}
    if len(segments) != len(fitting) or any(one.state >= FIRST_FINAL for one in segments.values()):
        return []
    taken: dict[Ref, int] = {}

    def takes(place: int, tried: set[Ref]) -> bool:
        refs = [one[:3] for one in fitting[place]]
        free = next((ref for ref in refs if ref not in taken), None)
        if free is not None:
            taken[free] = place
            return True
        for ref in refs:
            if ref not in tried:
                tried.add(ref)
                if takes(taken[ref], tried):
                    taken[ref] = place
                    return True
        return False

    if not all(takes(place, set()) for place in sorted(fitting)):
        return []
    return sorted((place, segments[ref]) for ref, place in taken.items())


def _fitting(receipt: DeliveryReceipt, uncertain: Sequence[Candidate]) -> list[Candidate]:
    """Return the segments without an id that fit by number and time; a number with calling code goes first."""
    fitting = [
        one
        for one in uncertain
        if is_addressed(receipt, one.msisdn)
        and fits(receipt, one.msisdn, *one.left)
        and not contradicts(receipt, *one.left)
    ]
    if len({one.msisdn for one in fitting}) > 1:
        return [one for one in fitting if is_addressed_whole(receipt, one.msisdn)] or fitting
    return fitting


def _by_base(receipt: DeliveryReceipt, candidates: Sequence[Candidate], known: Learned) -> tuple[Agreeing, Agreeing]:
    """Return the candidates whose number and time fit: those with the id in the same base, and those in another."""
    said = receipt.smsc_message_id
    agreeing = [
        (agreement, one)
        for one in candidates
        if (agreement := spelling(one.smsc_message_id, said)) is not None and fits(receipt, one.msisdn, *one.left)
    ]
    if known.locked is not IdForm.AUTO and not says_nothing(said):
        agreeing = [pair for pair in agreeing if known.allows(pair[0])]
    elif known.is_another_base:
        agreeing = [pair for pair in agreeing if not pair[0].converted or known.allows(pair[0])]
    agreeing = _named_best(receipt, agreeing)
    plain = [pair for pair in agreeing if not pair[0].converted]
    return plain, [pair for pair in agreeing if pair[0].converted]


def _named_best(receipt: DeliveryReceipt, agreeing: Agreeing) -> Agreeing:
    """Drop candidates named in national form only, if the receipt names others with their calling code.

    Ten or eleven digits may be a whole number of one country and a national number of another.
    """
    if len({one.msisdn for _, one in agreeing}) < 2 or not named_numbers(receipt):
        return agreeing
    return [pair for pair in agreeing if is_addressed_whole(receipt, pair[1].msisdn)] or agreeing


def _is_supported(pairs: Agreeing, known: Learned) -> bool:
    return any(known.supports(agreement) for agreement, _ in pairs)


def _hypothesis(
    receipt: DeliveryReceipt,
    pairs: Agreeing,
    *,
    known: Learned,
    owed: Owed,
    lost: Candidate | Nobody,
    state_of: StateOf,
) -> Choice | Nobody:
    """Decide if the id fits only in a form that is not known to be the operator's."""
    if owed.may_bring(receipt):
        return Nobody(Why.OWED)
    if isinstance(lost, Nobody):
        if lost.why is Why.TWINS:
            return Nobody(Why.FORM)
    elif all(one[:3] != lost[:3] for _, one in pairs):  # one with two tries is found both ways
        return Nobody(Why.FORM)
    # A number confirms it; without one, at least the date must not contradict it.
    if not named_numbers(receipt):
        if known.form is not IdForm.AUTO or owed.lost:
            return Nobody(Why.UNKNOWN if known.form is not IdForm.AUTO else Why.FORM)
        pairs = [pair for pair in pairs if not contradicts(receipt, *pair[1].left)]
        if not pairs:
            return Nobody(Why.UNKNOWN)
    return _among(receipt, pairs, known=known, owed=owed, lost=lost, state_of=state_of, decisive=True)


def _among(
    receipt: DeliveryReceipt,
    pairs: Agreeing,
    *,
    known: Learned,
    owed: Owed,
    lost: Candidate | Nobody,
    state_of: StateOf,
    decisive: bool,
) -> Choice | Nobody:
    """Return the segment that is meant among those whose id, number and time fit."""
    best = min(agreement for agreement, _ in pairs)
    if best is not Spelling.SAME and named_numbers(receipt) and owed.may_bring(receipt) and not known.is_another_base:
        return Nobody(Why.OWED)  # the response may bring an equal id
    pool = [one for agreement, one in pairs if agreement == best]
    if len({one.smsc_message_id for one in pool}) > 1:
        return Nobody(Why.FORM)
    reused = len({one[:2] for one in pool}) > 1
    owner = pool[0] if len(pool) == 1 else _meant(receipt, pool, state_of)
    if not (state_of(owner) < FIRST_FINAL and is_dated(receipt, *owner.left)):
        if contradicts(receipt, *owner.left):
            if isinstance(lost, Candidate):
                return Choice(lost, "matched_by_address", identifies=True)
            if lost.why is Why.TWINS:
                return lost
        if _may_be_owed(receipt, owner, owed, state_of):
            return Nobody(Why.OWED)
    if decisive and not says_nothing(receipt.smsc_message_id) and known.learns(best):
        known.saw(best)
    return Choice(owner, "reused_id" if reused else "")


def _meant(receipt: DeliveryReceipt, pool: Sequence[Candidate], state_of: StateOf) -> Candidate:
    """Return which of several messages with one id is meant: that of the submit date, else the newest unfinished."""
    dated = [one for one in pool if is_dated(receipt, *one.left)]
    return max(
        dated or pool,
        key=lambda one: (state_of(one) < FIRST_FINAL, one.submitted_at, one.message_id, one.seq, -one.part),
    )


def _may_be_owed(receipt: DeliveryReceipt, owner: Candidate, owed: Owed, state_of: StateOf) -> bool:
    """Tell whether the operator may have given the same id to a submit_sm that is still open."""
    if not named_numbers(receipt) and state_of(owner) < FIRST_FINAL and not contradicts(receipt, *owner.left):
        return False
    return owed.rather(receipt, *owner.left)
