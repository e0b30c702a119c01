"""What receipts do to their segments.

This is the heart of Esito, and it is pure: a store loads what it knows of a batch of receipts (`known.Known`), `decide`
decides, and the store writes the decisions down in the same transaction, with what they taught of the operator. Which
segment is meant is said in `choosing`. Nothing is ever guessed: what stays ambiguous is kept as an orphan.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from esito.domain.belief import NOTHING_OWED, Owed, contradicts, fits, is_dated, is_named_first
from esito.domain.choosing import Candidate, Nobody, Why, choose, identify
from esito.domain.decisions import (
    CallbackRow,
    Decisions,
    Identified,
    RecipientMove,
    SegmentMove,
    TrailRow,
    Unmatched,
    Waits,
)
from esito.domain.known import Known
from esito.domain.message_ids import Spelling, canonical, match_keys
from esito.domain.operator_habits import Learned, says_nothing
from esito.domain.receipt import SKEW_MS, DeliveryReceipt, Verdict
from esito.domain.states import FIRST_FINAL, MessageState, MultipartRule, derive

_MOVED = Verdict.MOVED.value

_new = tuple.__new__
"""Makes a named tuple in half the time; each receipt needs several."""


class BroughtId(NamedTuple):
    """A segment, and the id that a receipt of the batch brought for it."""

    smsc_message_id: str
    segment: Candidate


_Standing = list[int]
"""The state of a recipient, then those of its segments by part, while receipts are being settled."""


class Settlement:
    """Settles receipts one after the other; each sees what the earlier ones changed."""

    def __init__(
        self,
        rule_of: Mapping[str, MultipartRule],
        forms: Mapping[str, Learned],
        *,
        at: int | None = None,
        queried_only: Iterable[tuple[int, int, int]] = (),
    ) -> None:
        """`rule_of`: how the states of segments make that of their recipient, by the link that submitted them.

        `forms`: what is known of the operator's ids, by link; what is learned of them is in the decisions.
        `at`: the instant of what changes, where that is not the arrival of each receipt.
        `queried_only`: segments whose state only an answer to query_sm tells: a receipt that says the same is more.
        """
        copies = {id(known): known.copy() for known in forms.values()}  # links of one operator share what is known
        self.decisions = Decisions(learned={link: copies[id(known)] for link, known in forms.items()})
        self._rules = rule_of
        self._forms = self.decisions.learned
        self._at = at
        self._standings: dict[tuple[int, int], _Standing] = {}
        self._brought: dict[tuple[int, str], list[BroughtId]] = {}
        """By the form of the operator's ids and the match key of the id."""
        self._taken: set[tuple[int, int, int]] = set()
        self.alone: list[tuple[DeliveryReceipt, Candidate]] = []
        """Receipts that can be about one segment only, and that segment."""
        self._queried_only = set(queried_only)

    def count_dates(self, plain: Iterable[tuple[DeliveryReceipt, Candidate]]) -> None:
        """Count the submit dates of receipts that can be about one segment only, each segment once.

        `plain`: those of them that were plain. Their dates are near our own: when that is sure, they are not counted.
        """
        if not self.alone and all(known.dates.is_sure for known in self._forms.values()):
            return
        receipts = [*self.alone, *plain]
        net: dict[str, int] = {}
        counted: set[tuple[int, int, int]] = set()
        for receipt, only in receipts:
            if receipt.submitted_at is not None and only.state < FIRST_FINAL and only[:3] not in counted:
                counted.add(only[:3])
                near = is_dated(receipt, *only.left)
                net[receipt.link] = net.get(receipt.link, 0) + (1 if near else -1)
        for link, sum_ in net.items():
            self._forms[link].dates.saw(sum_)

    def settle(
        self,
        number: int,
        receipt: DeliveryReceipt,
        candidates: Sequence[Candidate],
        *,
        owed: Owed = NOTHING_OWED,
        uncertain: Sequence[Candidate] = (),
    ) -> None:
        """Decide about receipt `number` of the batch.

        `owed`: the submit_sm of this operator without a response. `uncertain`: segments of the operator without a known
        id, whose number the receipt may name.
        """
        known = self._forms[receipt.link]
        lost = self._lost(receipt, uncertain, owed)
        if self._brought:
            candidates = [*candidates, *self._named_before(receipt)]
        choice = choose(receipt, candidates, known=known, owed=owed, lost=lost, state_of=self._state_of)
        if isinstance(choice, Nobody):
            self._keep(number, receipt, choice, owed)
            return
        if choice.flag:
            receipt = _flagged(receipt, choice.flag)
        owner = choice.owner
        if len(candidates) == 1 and lost == Nobody(Why.UNKNOWN) and not owed.rather(receipt, *owner.left):
            self.alone.append((receipt, owner))
        if choice.identifies:
            self._identify(receipt, owner)
        # One id may stand for a whole message: every segment with that id moves.
        together = [
            other for other in candidates if other[:2] == owner[:2] and other.smsc_message_id == owner.smsc_message_id
        ]
        if len(together) > 1:
            sisters = [one for one in uncertain if one[:2] == owner[:2] and one[:3] not in self._taken]
            together += [self._name(receipt, sister) for sister in sisters]
        self._apply(number, receipt, owner, together or (owner,))

    def settle_plain(self, number: int, receipt: DeliveryReceipt, owner: Candidate) -> None:
        """Fast path for a receipt that is_clear() and is_plain() accepted; the result is the same."""
        known = self._forms[receipt.link]
        if known.counts_plain and not says_nothing(receipt.smsc_message_id):
            known.saw(Spelling.SAME)
        reported, key = receipt.state, owner[:2]
        if (
            reported is None
            or reported <= owner.state
            or len(owner.states) > 1
            or not receipt.counts
            or (receipt.done_at is not None and receipt.done_at < owner.submitted_at - SKEW_MS)
            or key in self._standings
        ):
            self._apply(number, receipt, owner, (owner,))
            return
        # The first receipt for a recipient with one segment: both move.
        message_id, seq, part, done_at = *owner[:3], receipt.done_at
        decisions, before = self.decisions, owner.recipient_state
        decisions.trail.append(_new(TrailRow, (number, _MOVED, receipt.flags, done_at, message_id, seq, part)))
        decisions.segments.append(
            _new(SegmentMove, (message_id, seq, part, reported, done_at, receipt.error_code, number))
        )
        self._standings[key] = [max(before, reported), reported]
        self._queried_only.discard(owner[:3])
        if reported > before:
            self._tell(number, receipt, owner, before, reported)

    def settle_paired(self, number: int, receipt: DeliveryReceipt, owner: Candidate) -> None:
        """Apply a receipt to the segment that it was paired with (`choosing.pair`)."""
        self._identify(receipt, owner)
        self._apply(number, _flagged(receipt, "matched_by_address"), owner, (owner,))

    def infer(self, number: int, conclusion: DeliveryReceipt, segments: Sequence[Candidate]) -> None:
        """Move segments of one recipient by a conclusion of our own: an expiry, a refused submit_sm."""
        moving = [one for one in segments if conclusion.state is not None and self._state_of(one) < conclusion.state]
        for one in moving:
            self._climb(number, conclusion, one, [one], Verdict.INFERRED)

    def settle_answer(
        self, number: int, answer: DeliveryReceipt, owner: Candidate, together: Sequence[Candidate]
    ) -> None:
        """Apply the answer to a query_sm about a segment, as far as it is believed (`status_query.believed`).

        `together`: the segments of its recipient with the same id, itself included.
        """
        standing = self._standing(owner)
        self._note(number, answer, Verdict.QUERIED, owner)
        if answer.state is not None and answer.state > standing[owner.part]:
            self._raise(number, answer, owner, together, standing)

    def _lost(self, receipt: DeliveryReceipt, uncertain: Sequence[Candidate], owed: Owed) -> Candidate | Nobody:
        """Return the segment without an id that fits the receipt's number and date, or why there is none."""
        if not receipt.smsc_message_id:
            return Nobody(Why.UNKNOWN)
        for told, one in self._brought_under(receipt):
            # A segment with the id of another try keeps that id, so it is found by its number each time.
            if (
                one.smsc_message_id
                and told == receipt.smsc_message_id
                and fits(receipt, one.msisdn, *one.left)
                and not contradicts(receipt, *one.left)
            ):
                return one
        return identify(receipt, [one for one in uncertain if one[:3] not in self._taken], owed)

    def _named_before(self, receipt: DeliveryReceipt) -> list[Candidate]:
        """Return the segments that got this receipt's id, in whatever spelling, within the batch."""
        return [
            one._replace(smsc_message_id=told) for told, one in self._brought_under(receipt) if not one.smsc_message_id
        ]

    def _brought_under(self, receipt: DeliveryReceipt) -> Iterator[BroughtId]:
        """Yield what receipts of the batch brought under an id that may equal this one's, newest first."""
        if self._brought:
            form = id(self._forms[receipt.link])
            for match_key in match_keys(receipt.smsc_message_id):
                yield from reversed(self._brought.get((form, match_key), ()))

    def _identify(self, receipt: DeliveryReceipt, owner: Candidate) -> None:
        """Give a segment the id of a receipt, unless it has got one in this batch."""
        if owner[:3] not in self._taken:
            self._name(receipt, owner)

    def _name(self, receipt: DeliveryReceipt, owner: Candidate) -> Candidate:
        """Give a segment the id of a receipt; return the segment."""
        self._taken.add(owner[:3])
        key = (id(self._forms[receipt.link]), canonical(receipt.smsc_message_id))
        self._brought.setdefault(key, []).append(BroughtId(receipt.smsc_message_id, owner))
        self.decisions.identified.append(
            Identified(*owner[:3], receipt.smsc_message_id, self._moment(receipt), receipt.link)
        )
        return owner

    def _keep(self, number: int, receipt: DeliveryReceipt, choice: Nobody, owed: Owed) -> None:
        """Keep a receipt that moves no segment, or not yet."""
        if not receipt.counts:
            self._note(number, receipt, Verdict.NOT_A_RECEIPT, None)
            return
        waits = Waits.NOTHING
        if choice.why is Why.FORM:
            if self._at is None:  # counted once, however often it is looked at again
                self._forms[receipt.link].refused()
            waits = Waits.FORM
        elif receipt.smsc_message_id and (choice.why is Why.OWED or owed.may_bring(receipt)):
            waits = Waits.RESPONSE
        elif choice.why is Why.TWINS:
            waits = Waits.TWINS
        verdict = Verdict.PARKED if waits is Waits.RESPONSE else Verdict.ORPHAN
        self._note(number, receipt, verdict, None, "" if verdict is Verdict.PARKED else choice.flag)
        self.decisions.unmatched.append(Unmatched(number, waits))

    def _moment(self, receipt: DeliveryReceipt) -> int:
        return receipt.received_at if self._at is None else self._at

    def _state_of(self, candidate: Candidate) -> int:
        standing = self._standings.get((candidate.message_id, candidate.seq))
        return candidate.state if standing is None else standing[candidate.part]

    def _apply(self, number: int, receipt: DeliveryReceipt, owner: Candidate, together: Sequence[Candidate]) -> None:
        """Apply a receipt to the segment that it means."""
        if receipt.done_at is not None and receipt.done_at < min(owner.left) - SKEW_MS:
            receipt = _flagged(receipt._replace(done_at=None), "skewed_date")
        if receipt.counts:
            self._climb(number, receipt, owner, together)
        else:
            self._note(number, receipt, Verdict.NOT_A_RECEIPT, owner)

    def _climb(
        self,
        number: int,
        receipt: DeliveryReceipt,
        chosen: Candidate,
        together: Iterable[Candidate],
        verdict: Verdict = Verdict.MOVED,
    ) -> None:
        standing = self._standing(chosen)
        reported = receipt.state
        if reported is None:
            self._note(number, receipt, Verdict.UNKNOWN_WORD, chosen)
            return
        known = standing[chosen.part]
        if reported < known:
            self._note(number, receipt, Verdict.WEAKER, chosen)
        elif reported == known and chosen[:3] not in self._queried_only:
            self._note(number, receipt, Verdict.DUPLICATE, chosen)
        else:
            self._note(number, receipt, verdict, chosen)
            self._raise(number, receipt, chosen, together, standing)

    def _standing(self, candidate: Candidate) -> _Standing:
        key = (candidate.message_id, candidate.seq)
        standing = self._standings.get(key)
        if standing is None:
            standing = self._standings[key] = [candidate.recipient_state, *candidate.states]
        return standing

    def _raise(
        self,
        number: int,
        receipt: DeliveryReceipt,
        chosen: Candidate,
        together: Iterable[Candidate],
        standing: _Standing,
    ) -> None:
        """Raise segments to the state of a receipt; those that have it from a receipt stay as they are."""
        reported = receipt.state
        if reported is None:
            return
        for one in together:
            message_id, seq, part = ref = one[:3]
            # Another segment of the recipient may have got the common id later.
            if standing[part] > reported or (standing[part] == reported and ref not in self._queried_only):
                continue
            self._queried_only.discard(ref)
            standing[part] = reported
            self.decisions.segments.append(
                SegmentMove(message_id, seq, part, reported, receipt.done_at, receipt.error_code, number)
            )
        self._move_recipient(number, receipt, chosen, standing)

    def _move_recipient(self, number: int, receipt: DeliveryReceipt, chosen: Candidate, standing: _Standing) -> None:
        derived = standing[1]
        if len(standing) > 2:
            derived = derive(standing[1:], self._rules.get(chosen.link or receipt.link, MultipartRule.ANY_FAILED))
        # A recipient only climbs. If one failed segment is corrected while another is silent,
        # the recipient stays as it is until all segments say more.
        before = standing[0]
        if derived <= before:
            return
        standing[0] = derived
        self._tell(number, receipt, chosen, before, derived)

    def _tell(self, number: int, receipt: DeliveryReceipt, owner: Candidate, before: int, now: int) -> None:
        """Move a recipient, and add a callback if its public status changes."""
        at = receipt.received_at if self._at is None else self._at
        self.decisions.movers.append(number)
        self.decisions.recipients.append(_new(RecipientMove, (owner.message_id, owner.seq, now, at)))
        if owner.wants_callback and _public(now) != _public(before):
            self.decisions.callbacks.append(CallbackRow(owner.message_id, owner.seq, now, at))

    def _note(
        self, number: int, receipt: DeliveryReceipt, verdict: Verdict, owner: Candidate | None, flag: str = ""
    ) -> None:
        flags = f"{receipt.flags} {flag}".strip() if flag else receipt.flags
        message_id, seq, part = owner[:3] if owner is not None else (None, None, None)
        self.decisions.trail.append(TrailRow(number, verdict.value, flags, receipt.done_at, message_id, seq, part))


def is_clear(receipt: DeliveryReceipt, candidates: Sequence[Candidate], known: Learned) -> bool:
    """Tell, from the candidates under the id's own match key, whether any under its other ones would change nothing.

    So it is when ids are known to come as they are, and the one candidate has the very id and the receipt's number.
    """
    if len(candidates) != 1:
        return False
    (only,) = candidates
    return (
        only.smsc_message_id == receipt.smsc_message_id
        and known.takes_plain
        and receipt.received_at >= only.submitted_at
        and is_named_first(receipt, only.msisdn)
    )


def is_plain(receipt: DeliveryReceipt, owner: Candidate) -> bool:
    """Tell whether nothing that is owed or was lost would change what a receipt does that is clear: the usual one.

    So it is when the segment still lacks its last word, and the operator's submit date is that of the segment.
    """
    return owner.state < FIRST_FINAL and is_dated(receipt, owner.submitted_at)


def decide(
    receipts: Sequence[DeliveryReceipt],
    known: Known,
    rule_of: Mapping[str, MultipartRule],
    *,
    at: int | None = None,
) -> Decisions:
    """Settle a batch of receipts in their order.

    `rule_of`: what makes a recipient of its segments, by the link that submitted them. `at`: the instant of what
    changes, where that is not the arrival of each receipt.
    """
    settlement = Settlement(rule_of, known.forms, at=at, queried_only=known.queried_only)
    for number, receipt in enumerate(receipts):
        candidates = known.candidates.get(number, ())
        if number in known.plain:
            settlement.settle_plain(number, receipt, candidates[0])
        elif candidates and known.leaves_only(number, receipt, candidates[0]):
            settlement.settle_plain(number, receipt, candidates[0])
            settlement.alone.append((receipt, candidates[0]))
        else:
            addressed, mine = known.addressed(number, receipt)
            settlement.settle(number, addressed, mine, owed=known.owed(number), uncertain=known.uncertain_of(number))
    settlement.count_dates((receipts[number], known.candidates[number][0]) for number in known.plain)
    return settlement.decisions


def _public(state: int) -> int:
    """Return a number for the public word of a state, cheap to compare."""
    if state < FIRST_FINAL:
        return 0
    return 2 if state == MessageState.DELIVERED else 1


def _flagged(receipt: DeliveryReceipt, flag: str) -> DeliveryReceipt:
    return receipt._replace(flags=f"{receipt.flags} {flag}".strip())
