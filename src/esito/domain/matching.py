"""Which segment a receipt belongs to, and what it does there.

This is the heart of Esito, and it is pure: a store loads the candidates of a batch of
receipts, `Settlement` decides, and the store writes the decisions down in the same
transaction. Nothing is ever guessed: what stays ambiguous is kept as an orphan.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from esito.domain.id_forms import IdForm, Learned, says_nothing
from esito.domain.message_ids import Spelling, spelling
from esito.domain.receipt import SKEW_MS, DeliveryReceipt, Verdict
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
    done_at: int | None
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


class Identified(NamedTuple):
    """A segment whose response was lost, and the SMSC id that its receipt brought."""

    message_id: int
    seq: int
    part: int
    smsc_message_id: str
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
    identified: list[Identified] = field(default_factory=list)
    unmatched: list[int] = field(default_factory=list)
    """Which receipts wait for a submit_sm_resp: parked ones and orphans."""


_Standing = list[int]
"""A recipient while its receipts are being settled: its own state, and those of its segments, by their part."""


class Settlement:
    """Settles receipts one after the other; what one changes, the next one sees."""

    def __init__(self, rule_of: Mapping[str, MultipartRule], forms: Mapping[str, Learned]) -> None:
        """`forms`: what is known of the operator's ids, by link; links of one operator share it."""
        self.decisions = Decisions()
        self._rules = rule_of
        self._forms = forms
        self._standings: dict[tuple[int, int], _Standing] = {}
        self._identified: dict[tuple[int, str], Candidate] = {}
        self._taken: set[tuple[int, int, int]] = set()

    def is_clear(self, receipt: DeliveryReceipt, candidates: Sequence[Candidate]) -> bool:
        """Tell, from the candidates on the id's own shelf, whether any on its other shelves would change nothing.

        So it is when the operator's form is known, and the one candidate has the very id and the receipt's number.
        """
        known = self._forms[receipt.link]
        return (
            len(candidates) == 1
            and known.form is not IdForm.AUTO
            and candidates[0].smsc_message_id == receipt.smsc_message_id
            and known.allows(Spelling.SAME)
            and _is_addressed(receipt, candidates[0])
        )

    def settle(
        self,
        number: int,
        receipt: DeliveryReceipt,
        candidates: Sequence[Candidate],
        *,
        expected: bool,
        uncertain: Sequence[Candidate] = (),
    ) -> None:
        """Decide about receipt `number` of the batch.

        `expected`: a submit_sm of this operator still lacks its response, so that an
        unmatched receipt may be early rather than an orphan. `uncertain`: segments of the
        operator whose response was lost, and that the receipt's address may name.
        """
        chosen = self._choose(receipt, candidates)
        if isinstance(chosen, str) and not chosen and uncertain and receipt.smsc_message_id:
            chosen = self._identify(receipt, uncertain)
            if isinstance(chosen, Candidate):
                receipt = _flagged(receipt, "matched_by_address")
        if isinstance(chosen, Candidate):
            # One id may stand for a whole message: every segment that carries it moves.
            together = [
                other
                for other in candidates
                if other[:2] == chosen[:2] and other.smsc_message_id == chosen.smsc_message_id
            ]
            self._apply(number, receipt, chosen, together or (chosen,))
        elif not receipt.counts:
            self._note(number, receipt, Verdict.NOT_A_RECEIPT, None)
        else:
            if chosen:
                self._forms[receipt.link].refused()
            verdict = Verdict.PARKED if expected and receipt.smsc_message_id and not chosen else Verdict.ORPHAN
            self._note(number, receipt, verdict, None, str(chosen))
            self.decisions.unmatched.append(number)

    def settle_clear(self, number: int, receipt: DeliveryReceipt, owner: Candidate) -> None:
        """Decide about receipt `number`, of whose only candidate `is_clear` was told: the usual one, a shorter way."""
        self._saw_same(receipt)
        self._apply(number, receipt, owner, (owner,))

    def infer(self, number: int, conclusion: DeliveryReceipt, segments: Sequence[Candidate]) -> None:
        """Move segments of one recipient by a conclusion of our own: an expiry, a refused submit_sm."""
        moving = [one for one in segments if conclusion.state is not None and self._state_of(one) < conclusion.state]
        for one in moving:
            self._climb(number, conclusion, one, [one], Verdict.INFERRED)

    def _choose(self, receipt: DeliveryReceipt, candidates: Sequence[Candidate]) -> Candidate | str:
        """Return the one segment meant, or why there is none: '' for no candidate, or 'ambiguous'."""
        known = self._forms[receipt.link]
        said = receipt.smsc_message_id
        if len(candidates) == 1 and candidates[0].smsc_message_id == said and known.allows(Spelling.SAME):
            self._saw_same(receipt)
            return candidates[0]
        ranked = [
            (agreement, candidate)
            for candidate in candidates
            if (agreement := spelling(candidate.smsc_message_id, receipt.smsc_message_id)) is not None
        ]
        pool = self._believable(receipt, ranked, known)
        if not pool:
            return ""
        if len({agreement.converted for agreement, _ in pool}) > 1:
            # The id itself means one segment, its other base another: not ours to guess.
            return "ambiguous"
        best = pool[0][0] if len(pool) == 1 else min(agreement for agreement, _ in pool)
        pool = [pair for pair in pool if pair[0] == best]
        if len({candidate.smsc_message_id for _, candidate in pool}) > 1:
            return "ambiguous"
        if not says_nothing(receipt.smsc_message_id):
            known.saw(best)
        if len(pool) == 1:
            return pool[0][1]
        # Equal ids: the operator's counter has wrapped around. The newest unfinished segment is meant.
        return max(
            (candidate for _, candidate in pool),
            key=lambda one: (self._state_of(one) < FIRST_FINAL, one.submitted_at, one.message_id, one.seq, -one.part),
        )

    def _saw_same(self, receipt: DeliveryReceipt) -> None:
        known = self._forms[receipt.link]
        if known.learns(Spelling.SAME) and not says_nothing(receipt.smsc_message_id):
            known.saw(Spelling.SAME)

    @staticmethod
    def _believable(
        receipt: DeliveryReceipt, ranked: list[tuple[Spelling, Candidate]], known: Learned
    ) -> list[tuple[Spelling, Candidate]]:
        """Return the candidates that the operator's form of ids and the receipt's addresses leave."""
        if len(ranked) == 1 and not ranked[0][0].converted and known.allows(ranked[0][0]):
            return ranked
        plain = says_nothing(receipt.smsc_message_id)
        if known.locked is not IdForm.AUTO:
            ranked = [pair for pair in ranked if plain or known.allows(pair[0])]
        addressed = [pair for pair in ranked if _is_addressed(receipt, pair[1])]
        if addressed:
            formed = [pair for pair in addressed if known.allows(pair[0])]
            return formed or addressed
        allowed = [pair for pair in ranked if plain or known.allows(pair[0])]
        if known.form is IdForm.AUTO and _names_somebody(receipt) and all(pair[0].converted for pair in allowed):
            # In another base, and for another number: the segment that is meant may not be known yet.
            return []
        return allowed

    def _identify(self, receipt: DeliveryReceipt, uncertain: Sequence[Candidate]) -> Candidate | str:
        """Return the segment without a response that the receipt's address names, or why there is none.

        Of several sent to one number, the operator's submit date must tell which; of several
        segments of one recipient, the first that lacks its receipt.
        """
        key = (id(self._forms[receipt.link]), receipt.smsc_message_id)
        if key in self._identified:
            return self._identified[key]
        free = [one for one in uncertain if one[:3] not in self._taken and _is_addressed(receipt, one)]
        if not free:
            return ""
        if len({one[:2] for one in free}) > 1:
            free = _submitted_then(receipt, free)
        if len({one[:2] for one in free}) != 1:
            return "ambiguous"
        chosen = min(free, key=lambda one: one.part)
        self._identified[key] = chosen
        self._taken.add(chosen[:3])
        self.decisions.identified.append(Identified(*chosen[:3], receipt.smsc_message_id, receipt.received_at))
        return chosen

    def _state_of(self, candidate: Candidate) -> int:
        standing = self._standings.get((candidate.message_id, candidate.seq))
        return candidate.state if standing is None else standing[candidate.part]

    def _apply(self, number: int, receipt: DeliveryReceipt, owner: Candidate, together: Sequence[Candidate]) -> None:
        """Let a receipt do its work on the segment that it means."""
        if receipt.done_at is not None and receipt.done_at < owner.submitted_at - SKEW_MS:
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
        key = (chosen.message_id, chosen.seq)
        standing = self._standings.get(key)
        if standing is None:
            standing = self._standings[key] = [chosen.recipient_state, *chosen.states]
        reported = receipt.state
        if reported is None:
            self._note(number, receipt, Verdict.UNKNOWN_WORD, chosen)
            return
        known = standing[chosen.part]
        if reported <= known:
            self._note(number, receipt, Verdict.DUPLICATE if reported == known else Verdict.WEAKER, chosen)
            return
        self._note(number, receipt, verdict, chosen)
        for one in together:
            message_id, seq, part = one[:3]
            if standing[part] >= reported:  # a sister may have got the common id later
                continue
            standing[part] = reported
            self.decisions.segments.append(
                SegmentMove(message_id, seq, part, reported, receipt.done_at, receipt.error_code, number)
            )
        self._move_recipient(receipt, chosen, standing)

    def _move_recipient(self, receipt: DeliveryReceipt, chosen: Candidate, standing: _Standing) -> None:
        derived = standing[1]
        if len(standing) > 2:
            derived = derive(standing[1:], self._rules.get(receipt.link, MultipartRule.ANY_FAILED))
        # A recipient only climbs: one failed segment that is corrected while another is
        # silent leaves it where it stands, until all of them say more.
        before = standing[0]
        if derived <= before:
            return
        standing[0] = derived
        at = receipt.received_at
        self.decisions.recipients.append(RecipientMove(chosen.message_id, chosen.seq, derived, at))
        if chosen.wants_callback and _public(derived) != _public(before):
            self.decisions.callbacks.append(CallbackRow(chosen.message_id, chosen.seq, derived, at))

    def _note(
        self, number: int, receipt: DeliveryReceipt, verdict: Verdict, owner: Candidate | None, flag: str = ""
    ) -> None:
        flags = f"{receipt.flags} {flag}".strip() if flag else receipt.flags
        message_id, seq, part = owner[:3] if owner is not None else (None, None, None)
        self.decisions.trail.append(TrailRow(number, verdict.value, flags, receipt.done_at, message_id, seq, part))


def _public(state: int) -> int:
    """Return which of the public words a state has, as a number cheap to compare."""
    if state < FIRST_FINAL:
        return 0
    return 2 if state == MessageState.DELIVERED else 1


def _flagged(receipt: DeliveryReceipt, flag: str) -> DeliveryReceipt:
    return receipt._replace(flags=f"{receipt.flags} {flag}".strip())


SUBMIT_DATE_WITHIN_MS = 2 * 60 * 1000
"""How far an operator's submit date, which counts minutes, may be from our own."""


def _submitted_then(receipt: DeliveryReceipt, candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return those that left when the operator says it took the message."""
    said = receipt.submitted_at
    if said is None:
        return []
    return [one for one in candidates if abs(one.submitted_at - said) <= SUBMIT_DATE_WITHIN_MS]


def _names_somebody(receipt: DeliveryReceipt) -> bool:
    """Tell whether an address of the receipt is a subscriber's number: long enough for one."""
    return any(len(digits := address.lstrip("+")) >= 8 and digits.isdecimal() for address in receipt.addresses)


def _is_addressed(receipt: DeliveryReceipt, candidate: Candidate) -> bool:
    """Tell whether either address of the receipt is this recipient, in whatever form it is written."""
    if candidate.msisdn in receipt.addresses:
        return True
    for address in receipt.addresses:
        digits = address.lstrip("+").removeprefix("00")
        if digits == candidate.msisdn:
            return True
        # National form: a trunk zero before what ends the international number.
        if len(digits) > 6 and digits.startswith("0") and candidate.msisdn.endswith(digits[1:]):
            return True
    return False
