"""Which segment a receipt belongs to, and what it does there.

This is the heart of Esito, and it is pure: a store loads the candidates of a batch of
receipts, `Settlement` decides, and the store writes the decisions down in the same
transaction. Nothing is ever guessed: what stays ambiguous is kept as an orphan.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from esito.domain.message_ids import spelling
from esito.domain.receipt import DeliveryReceipt, Verdict
from esito.domain.states import FIRST_FINAL, MessageState, MultipartRule, derive


class Candidate(NamedTuple):
    """A segment whose SMSC id lies on a shelf of the receipt, and its recipient."""

    message_id: int
    seq: int
    part: int
    smsc_message_id: str
    msisdn: str
    """E.164 digits without the plus."""
    state: int
    submitted_at: int
    recipient_state: int
    wants_callback: int
    """1 when the message has a `urlDlr`."""
    states: tuple[int, ...]
    """States of all the recipient's segments, in order."""


class TrailRow(NamedTuple):
    """One line of the trail: a receipt and its verdict. `receipt` counts from 0 within the batch."""

    receipt: int
    verdict: str
    flags: str
    message_id: int | None
    seq: int | None
    part: int | None


class SegmentMove(NamedTuple):
    """A segment's new state."""

    message_id: int
    seq: int
    part: int
    state: int
    done_at: int | None
    error_code: str
    receipt: int


class RecipientMove(NamedTuple):
    """A recipient's new state and the moment of the change."""

    message_id: int
    seq: int
    state: int
    at: int


class CallbackRow(NamedTuple):
    """A change of the public status that the sender wants to be told."""

    message_id: int
    seq: int
    state: int
    at: int


@dataclass(slots=True)
class Decisions:
    """Everything a batch of receipts changes, in the order in which it happened."""

    trail: list[TrailRow] = field(default_factory=list)
    segments: list[SegmentMove] = field(default_factory=list)
    recipients: list[RecipientMove] = field(default_factory=list)
    callbacks: list[CallbackRow] = field(default_factory=list)
    unmatched: list[int] = field(default_factory=list)
    """Which receipts wait for a submit_sm_resp: parked ones and orphans."""


@dataclass(slots=True)
class _Standing:
    """A recipient while its receipts are being settled."""

    state: int
    segments: list[int]


class Settlement:
    """Settles receipts one after the other; what one changes, the next one sees."""

    def __init__(self, rule_of: dict[str, MultipartRule]) -> None:
        self.decisions = Decisions()
        self._rules = rule_of
        self._standings: dict[tuple[int, int], _Standing] = {}

    def settle(self, number: int, receipt: DeliveryReceipt, candidates: Sequence[Candidate], *, expected: bool) -> None:
        """Decide about receipt `number` of the batch.

        `expected`: a submit_sm of this operator still lacks its response, so that an
        unmatched receipt may be early rather than an orphan.
        """
        if not receipt.counts:
            owner = self._choose(receipt, candidates)
            self._note(number, receipt, Verdict.NOT_A_RECEIPT, owner if isinstance(owner, Candidate) else None)
            return
        chosen = self._choose(receipt, candidates)
        if isinstance(chosen, Candidate):
            # One id may stand for a whole message: every segment that carries it moves.
            together = [
                other
                for other in candidates
                if other[:2] == chosen[:2] and other.smsc_message_id == chosen.smsc_message_id
            ]
            self._climb(number, receipt, chosen, together)
            return
        verdict = Verdict.PARKED if expected and receipt.smsc_message_id and not chosen else Verdict.ORPHAN
        self._note(number, receipt, verdict, None, chosen)
        self.decisions.unmatched.append(number)

    def infer(self, number: int, conclusion: DeliveryReceipt, segments: Sequence[Candidate]) -> None:
        """Move segments of one recipient by a conclusion of our own: an expiry, a refused submit_sm."""
        moving = [one for one in segments if conclusion.state is not None and self._state_of(one) < conclusion.state]
        for one in moving:
            self._climb(number, conclusion, one, [one], Verdict.INFERRED)

    def _choose(self, receipt: DeliveryReceipt, candidates: Sequence[Candidate]) -> Candidate | str:
        """Return the one segment meant, or why there is none: '' for no candidate, or 'ambiguous'."""
        if len(candidates) == 1:
            only = candidates[0]
            return only if spelling(only.smsc_message_id, receipt.smsc_message_id) is not None else ""
        ranked = [
            (agreement, candidate)
            for candidate in candidates
            if (agreement := spelling(candidate.smsc_message_id, receipt.smsc_message_id)) is not None
        ]
        if not ranked:
            return ""
        addressed = [pair for pair in ranked if _is_addressed(receipt, pair[1])]
        pool = addressed or ranked
        if len({agreement.converted for agreement, _ in pool}) > 1:
            # The id itself means one segment, its other base another: not ours to guess.
            return "ambiguous"
        best = min(agreement for agreement, _ in pool)
        pool = [pair for pair in pool if pair[0] == best]
        if len({candidate.smsc_message_id for _, candidate in pool}) > 1:
            return "ambiguous"
        # Equal ids: the operator's counter has wrapped around. The newest unfinished segment is meant.
        return max(
            (candidate for _, candidate in pool),
            key=lambda one: (self._state_of(one) < FIRST_FINAL, one.submitted_at, one.message_id, one.seq, -one.part),
        )

    def _state_of(self, candidate: Candidate) -> int:
        standing = self._standings.get((candidate.message_id, candidate.seq))
        return candidate.state if standing is None else standing.segments[candidate.part - 1]

    def _climb(
        self,
        number: int,
        receipt: DeliveryReceipt,
        chosen: Candidate,
        together: Iterable[Candidate],
        verdict: Verdict = Verdict.MOVED,
    ) -> None:
        key = (chosen.message_id, chosen.seq)
        standing = self._standings.get(key)
        if standing is None:
            standing = self._standings[key] = _Standing(chosen.recipient_state, list(chosen.states))
        reported = receipt.state
        if reported is None:
            self._note(number, receipt, Verdict.UNKNOWN_WORD, chosen)
            return
        known = standing.segments[chosen.part - 1]
        if reported <= known:
            self._note(number, receipt, Verdict.DUPLICATE if reported == known else Verdict.WEAKER, chosen)
            return
        self._note(number, receipt, verdict, chosen)
        for one in together:
            if standing.segments[one.part - 1] >= reported:  # a sister may have got the common id later
                continue
            standing.segments[one.part - 1] = reported
            self.decisions.segments.append(
                SegmentMove(*one[:3], int(reported), receipt.done_at, receipt.error_code, number)
            )
        self._move_recipient(receipt, chosen, standing)

    def _move_recipient(self, receipt: DeliveryReceipt, chosen: Candidate, standing: _Standing) -> None:
        rule = self._rules.get(receipt.link, MultipartRule.ANY_FAILED)
        derived = standing.segments[0] if len(standing.segments) == 1 else derive(standing.segments, rule)
        if derived == standing.state:
            return
        before, standing.state = standing.state, derived
        at = receipt.received_at
        self.decisions.recipients.append(RecipientMove(chosen.message_id, chosen.seq, derived, at))
        if chosen.wants_callback and _public(derived) != _public(before):
            self.decisions.callbacks.append(CallbackRow(chosen.message_id, chosen.seq, derived, at))

    def _note(
        self, number: int, receipt: DeliveryReceipt, verdict: Verdict, owner: Candidate | None, flag: str = ""
    ) -> None:
        flags = f"{receipt.flags} {flag}".strip() if flag else receipt.flags
        place = owner[:3] if owner is not None else (None, None, None)
        self.decisions.trail.append(TrailRow(number, verdict.value, flags, *place))


def _public(state: int) -> int:
    """Return which of the public words a state has, as a number cheap to compare."""
    if state < FIRST_FINAL:
        return 0
    return 2 if state == MessageState.DELIVERED else 1


def _is_addressed(receipt: DeliveryReceipt, candidate: Candidate) -> bool:
    """Tell whether either address of the receipt is this recipient, in whatever form it is written."""
    for address in receipt.addresses:
        digits = address.lstrip("+").removeprefix("00")
        if digits == candidate.msisdn:
            return True
        # National form: a trunk zero before what ends the international number.
        if len(digits) > 6 and digits.startswith("0") and candidate.msisdn.endswith(digits[1:]):
            return True
    return False
