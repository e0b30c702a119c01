"""What is known of the operators that bears on a batch of receipts: a snapshot, which nothing changes.

Receipts are numbered from 0 within the batch. Most are plain; only of the others is it asked what else they may mean.
"""

from collections.abc import Collection, Mapping, Sequence

from esito.domain.belief import Owed, is_addressed, is_named_first, is_sent_by, named_numbers, names_only
from esito.domain.choosing import Candidate
from esito.domain.number_forms import is_same_line
from esito.domain.operator_habits import Learned
from esito.domain.receipt import DeliveryReceipt

NOBODY = ""
"""The number of a segment that has the id of a receipt and cannot be meant."""

Candidates = Mapping[int, Sequence[Candidate]]
"""Segments that a receipt may mean, by its number in the batch."""


class Known:
    """What is known of a batch of receipts."""

    def __init__(
        self,
        receipts: Sequence[DeliveryReceipt],
        forms: Mapping[str, Learned],
        candidates: Candidates,
        *,
        clear: Collection[int] = (),
        plain: Collection[int] = (),
        owed: Sequence[Owed] = (),
        uncertain: Candidates | None = None,
        senders: Mapping[int, str] | None = None,
        queried_only: Collection[tuple[int, int, int]] = (),
    ) -> None:
        """`forms`: of the operators' ids, by link. `candidates`: segments with the id of a receipt.

        `clear`: receipts whose one candidate has the very id and the number; `plain`: those of them whose outcome
        nothing that is owed or was lost can change. `owed`: by receipt, the submit_sm of its operator whose responses
        are owed; needed of receipts that are not plain. `uncertain`: segments without an id whose number a receipt may
        name. `senders`: of the messages that `wants_senders` names. `queried_only`: segments of which a receipt says
        what only an answer to query_sm has told before.
        """
        self.forms = forms
        self.candidates = dict(candidates)
        self.plain = plain
        self.queried_only = queried_only
        self._clear = clear
        self._owed = owed
        self._uncertain = dict(uncertain or {})
        self._senders = senders or {}
        if len(plain) < len(receipts):
            self._leave_out_senders(receipts)

    def owed(self, number: int) -> Owed:
        """Return the submit_sm of the operator of a receipt whose responses are owed."""
        return self._owed[number]

    def uncertain_of(self, number: int) -> Sequence[Candidate]:
        """Return the segments without an id whose number a receipt may name."""
        return self._uncertain.get(number, ())

    def leaves_only(self, number: int, receipt: DeliveryReceipt, owner: Candidate) -> bool:
        """Tell whether nothing that is owed or was lost may be meant rather than the one candidate of a receipt."""
        if number not in self._clear or self._uncertain.get(number):
            return False
        return not self.owed(number).rather(receipt, *owner.left)

    def addressed(self, number: int, receipt: DeliveryReceipt) -> tuple[DeliveryReceipt, Sequence[Candidate]]:
        """Return a receipt and the segments with its id that it may be about.

        Where an operator leaves the recipient's number out, the sender of a message is all that its receipt names: then
        it names nobody, but only of that sender's messages, and only if it can be about nothing sent to him.
        """
        mine = self.candidates.get(number, ())
        if not mine or not named_numbers(receipt) or any(is_addressed(receipt, one.msisdn) for one in mine):
            return receipt, mine
        if self._uncertain.get(number) or self.owed(number).may_bring(receipt):
            return receipt, mine
        his = [one for one in mine if names_only(receipt, self._senders.get(one.message_id, ""))]
        return (receipt._replace(addresses=("", "")), his) if his else (receipt, mine)

    def _leave_out_senders(self, receipts: Sequence[DeliveryReceipt]) -> None:
        """Leave out segments to a number that a receipt names only as the sender of the message that it is about.

        So it is where somebody who sends is a recipient too: the number comes second, and the first one did not send
        the message. Where the id is its own, the first must have been sent something that may be meant, else it is a
        number of the operator's.
        """
        for number, many in _named_second(receipts, self.plain, self.candidates, self._uncertain).items():
            receipt = receipts[number]
            out = {one[:3] for one in many if not is_sent_by(receipt, self._senders.get(one.message_id, ""))}
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


def wants_senders(
    receipts: Sequence[DeliveryReceipt], plain: Collection[int], candidates: Candidates, uncertain: Candidates
) -> set[int]:
    """Return the messages whose senders `Known` asks for."""
    second = _named_second(receipts, plain, candidates, uncertain)
    messages = {one.message_id for many in second.values() for one in many}
    for number, mine in candidates.items():
        receipt = receipts[number]
        if number in plain or not named_numbers(receipt):
            continue
        if number in second or not any(is_addressed(receipt, one.msisdn) for one in mine):
            messages.update(one.message_id for one in mine)
    return messages


def _named_second(
    receipts: Sequence[DeliveryReceipt], plain: Collection[int], candidates: Candidates, uncertain: Candidates
) -> dict[int, list[Candidate]]:
    """Return, by receipt, the segments to a number that it names, but not first."""
    second: dict[int, list[Candidate]] = {}
    for found in (candidates, uncertain):
        for number, mine in found.items():
            receipt = receipts[number]
            if number not in plain and len(named_numbers(receipt)) > 1:
                second.setdefault(number, []).extend(
                    one for one in mine if is_addressed(receipt, one.msisdn) and not is_named_first(receipt, one.msisdn)
                )
    return second
