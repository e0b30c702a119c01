"""Texts that travel whole in message_payload: the first segment carries the text, the others share its answer.

Segments are counted, priced and kept one by one, whatever the operator wants. If it cuts
texts itself, only the first segment is submitted; its answer holds for the others.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from esito.domain.message import SegmentRef, Submission, SubmitAnswer, SubmitOutcome

REMEMBERED = 10_000
"""Answers that are kept for segments that are claimed later than their first."""

_Recipient = tuple[int, int]
"""message id and seq."""


@dataclass(slots=True)
class _Open:
    """A first segment without an answer, and the others that wait for it."""

    expected: int
    others: list[Submission] = field(default_factory=list)


class PayloadSegments:
    """Which segments wait for the answer to which first segment."""

    def __init__(self) -> None:
        self._open: dict[_Recipient, _Open] = {}
        self._answered: dict[_Recipient, tuple[SubmitAnswer, int]] = {}
        """The answer to a first segment, and for how many segments it is still needed."""

    def first_of(self, claimed: Sequence[Submission], *, at: int) -> tuple[list[Submission], list[SubmitAnswer]]:
        """Return the segments to submit, and the answers to those whose first was answered before.

        A segment whose first is unknown was left by a process that died: it is uncertain.
        """
        going, answers = [], []
        for one in claimed:
            recipient = one.ref[:2]
            if one.ref.part == 1:
                going.append(one)
                if one.segments > 1:
                    self._answered.pop(recipient, None)
                    self._open[recipient] = _Open(one.segments - 1)
            elif recipient in self._open:
                self._open[recipient].others.append(one)
            elif recipient in self._answered:
                answers.append(_shared(self._use(recipient), one.ref, one.attempts))
            else:
                unknown = SubmitAnswer(ref=one.ref, answer=SubmitOutcome.UNCERTAIN, at=at, attempts=one.attempts)
                answers.append(unknown)
        return going, answers

    def with_others(self, answers: Iterable[SubmitAnswer]) -> list[SubmitAnswer]:
        """Return the answers, and those to the segments that share them."""
        all_answers = []
        for one in answers:
            all_answers.append(one)
            waiting = self._open.pop(one.ref[:2], None) if one.ref.part == 1 else None
            if waiting is None:
                continue
            all_answers += [_shared(one, other.ref, other.attempts) for other in waiting.others]
            left = waiting.expected - len(waiting.others)
            if left > 0:
                self._remember(one, left)
        return all_answers

    def _use(self, recipient: _Recipient) -> SubmitAnswer:
        answer, left = self._answered.pop(recipient)
        if left > 1:
            self._answered[recipient] = answer, left - 1
        return answer

    def _remember(self, answer: SubmitAnswer, left: int) -> None:
        self._answered[answer.ref[:2]] = answer, left
        if len(self._answered) > REMEMBERED:
            del self._answered[next(iter(self._answered))]


def _shared(answer: SubmitAnswer, ref: SegmentRef, attempts: int) -> SubmitAnswer:
    """Return the answer to a first segment as that to another one."""
    return replace(answer, ref=ref, attempts=attempts)
