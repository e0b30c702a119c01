"""Asking an operator by query_sm what became of a message that it has not reported on.

A segment is asked about once it has been away for as long as its link says, again each time it has been away twice as
long as the time before, and a last time shortly before we stop waiting. What is answered moves a segment up the
ladder as a receipt does, and counts for less: a receipt that says the same is still the receipt.
"""

from collections.abc import Sequence
from typing import NamedTuple

from esito.domain.choosing import Candidate
from esito.domain.evidence import TrailEvidence
from esito.domain.message import SegmentRef
from esito.domain.message_ids import shelves
from esito.domain.receipt import SKEW_MS, DeliveryReceipt, Verdict
from esito.domain.states import MessageState
from esito.domain.timing import DAY_MS, MINUTE_MS, SECOND_MS

SHORTEST_AFTER_MS = MINUTE_MS
"""The least time a segment is away before it is asked about."""

LAST_BEFORE_MS = 5 * MINUTE_MS
"""How long before we stop waiting a segment is asked about for the last time."""

ASK_AGAIN_MS = 10 * MINUTE_MS
"""When a question is asked anew whose answer was not kept: the process died, or none came."""

TOO_LATE_MS = DAY_MS
"""How long after we stopped waiting the last question may still be asked, when it could not be asked before."""


class Query(NamedTuple):
    """A segment to be asked about."""

    ref: SegmentRef
    smsc_message_id: str
    """As the operator gave it."""
    sender: str
    """Of the message; empty when it names none."""


class QueryAnswer(NamedTuple):
    """What a query_sm was answered."""

    ref: SegmentRef
    said: DeliveryReceipt
    """As a receipt; without a state where the operator refuses to answer, or answers nothing that we understand."""


def next_query(submitted_at: int, asked_at: int, wait_ms: int) -> int | None:
    """Return when to ask again about a segment that was asked about at an instant; None after the last time.

    `wait_ms`: how long after the submission its last word is waited for.
    """
    last = submitted_at + wait_ms - LAST_BEFORE_MS
    if asked_at >= last:
        return None
    away = max(asked_at - submitted_at, SHORTEST_AFTER_MS)
    return min(submitted_at + 2 * away, last)


def is_too_late(submitted_at: int, at: int, wait_ms: int) -> bool:
    """Tell whether nothing is asked any more about a segment that left at an instant."""
    return at > submitted_at + wait_ms + TOO_LATE_MS


def believed(said: DeliveryReceipt, owner: Candidate, namesakes: list[Candidate]) -> DeliveryReceipt:
    """Return the answer about a segment with what is believed of it: without its state where that moves nobody.

    `namesakes`: every segment that the operator gave the same id, the owner among them. An answer is about
    the newest; one that was final before the segment left, or that names another id, is not about it. UNKNOWN
    means that the operator itself cannot tell: nothing is concluded from that before its time.
    """
    if said.state is None:
        return said
    if said.smsc_message_id and not set(shelves(said.smsc_message_id)) & set(shelves(owner.smsc_message_id)):
        return _unbelieved(said, "other_id")
    if said.done_at is not None and said.done_at < min(owner.left) - SKEW_MS:
        return _unbelieved(said, "reused_id")
    if any(one[:2] != owner[:2] and one.submitted_at > owner.submitted_at for one in namesakes):
        return _unbelieved(said, "reused_id")
    if said.state is MessageState.UNKNOWN:
        return _unbelieved(said, "undecided")
    if said.done_at is not None and said.done_at > said.received_at + SKEW_MS:
        return said._replace(done_at=None, flags=f"{said.flags} skewed_date".strip())
    return said


def _unbelieved(said: DeliveryReceipt, flag: str) -> DeliveryReceipt:
    return said._replace(state=None, done_at=None, flags=f"{said.flags} {flag}".strip())


_RAISING = frozenset({Verdict.MOVED, Verdict.INFERRED, Verdict.QUERIED})
"""Verdicts of what may have moved a segment."""


def said_more(trail: Sequence[TrailEvidence]) -> list[TrailEvidence]:
    """Return the operator's words that said more than was known, by itself or when it was asked."""
    reached: dict[int, int] = {}
    found = []
    for one in trail:
        known = reached.get(one.part, 0)
        rises = one.verdict in _RAISING and (one.state or 0) > known
        if one.verdict is Verdict.MOVED or (one.verdict is Verdict.QUERIED and rises):
            found.append(one)
        reached[one.part] = (one.state or 0) if rises else known
    return found


class Reluctance:
    """For how long an operator that does not answer query_sm is asked nothing; the times double.

    Instants are milliseconds of the clock of messages.
    """

    SHORTEST_MS = 30 * SECOND_MS
    LONGEST_MS = 60 * MINUTE_MS

    def __init__(self) -> None:
        self._times = 0
        self._until = 0

    def refused(self, at: int) -> None:
        """Ask nothing for a while. What comes while nothing is asked was asked before, and does not add to it."""
        if at >= self._until:
            self._times += 1
            self._until = at + min(self.LONGEST_MS, self.SHORTEST_MS << min(self._times - 1, 20))

    def answered(self) -> None:
        """Go on: the operator answers."""
        self._times = self._until = 0

    def holds(self, at: int) -> bool:
        """Tell whether nothing is asked now."""
        return at < self._until

    @property
    def until(self) -> int:
        """Until when nothing is asked."""
        return self._until
