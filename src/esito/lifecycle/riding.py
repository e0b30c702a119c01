"""Texts that travel whole: the first segment carries all of them, and the others share its fate.

Segments are counted, priced and kept one by one, whatever the operator wants. Where it cuts
texts itself, only the first is submitted; what is answered to it holds for the rest.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from esito.domain.message import Answer, SegmentRef, Submission, SubmitAnswer

REMEMBERED = 10_000
"""Answers that are remembered for segments that are claimed later than their first."""

_Recipient = tuple[int, int]
"""message id and seq."""


@dataclass(slots=True)
class _Journey:
    """A first segment on its way, and who rides along."""

    expected: int
    riders: list[Submission] = field(default_factory=list)


class Riding:
    """Who rides along with which first segment."""

    def __init__(self) -> None:
        self._away: dict[_Recipient, _Journey] = {}
        self._back: dict[_Recipient, tuple[SubmitAnswer, int]] = {}
        """The answer to a first segment, and how many segments it has yet to be told to."""

    def board(self, claimed: Sequence[Submission], *, at: int) -> tuple[list[Submission], list[SubmitAnswer]]:
        """Return what is to be submitted, and the answers to segments whose first was answered before.

        One whose first is unknown was left behind by a process that died: nobody knows what became of it.
        """
        going, answers = [], []
        for one in claimed:
            recipient = one.ref[:2]
            if one.ref.part == 1:
                going.append(one)
                if one.segments > 1:
                    self._back.pop(recipient, None)
                    self._away[recipient] = _Journey(one.segments - 1)
            elif recipient in self._away:
                self._away[recipient].riders.append(one)
            elif recipient in self._back:
                answers.append(_told(self._of_first(recipient), one.ref, one.attempts))
            else:
                unknown = SubmitAnswer(ref=one.ref, answer=Answer.UNCERTAIN, at=at, attempts=one.attempts)
                answers.append(unknown)
        return going, answers

    def alight(self, answers: Iterable[SubmitAnswer]) -> list[SubmitAnswer]:
        """Return the answers, and those of whoever rode along."""
        told = []
        for one in answers:
            told.append(one)
            journey = self._away.pop(one.ref[:2], None) if one.ref.part == 1 else None
            if journey is None:
                continue
            told += [_told(one, rider.ref, rider.attempts) for rider in journey.riders]
            left = journey.expected - len(journey.riders)
            if left > 0:
                self._remember(one, left)
        return told

    def _of_first(self, recipient: _Recipient) -> SubmitAnswer:
        answer, left = self._back.pop(recipient)
        if left > 1:
            self._back[recipient] = answer, left - 1
        return answer

    def _remember(self, answer: SubmitAnswer, left: int) -> None:
        self._back[answer.ref[:2]] = answer, left
        if len(self._back) > REMEMBERED:
            del self._back[next(iter(self._back))]


def _told(answer: SubmitAnswer, ref: SegmentRef, attempts: int) -> SubmitAnswer:
    """Return the answer to the first segment as that to another one."""
    return replace(answer, ref=ref, attempts=attempts)
