"""When an operator is asked by query_sm about a segment without a receipt, and what its answer is worth.

The first query_sm leaves after the time that the link's settings say, each next one after twice the time before, and
the last shortly before we stop waiting. An answer moves a segment up the ladder like a receipt, but counts for less: a
receipt that says the same still counts as the receipt.
"""

from collections.abc import Sequence
from typing import NamedTuple

from esito.domain.choosing import Candidate
from esito.domain.evidence import TrailEvidence
from esito.domain.message import SegmentRef
from esito.domain.message_ids import match_keys
from esito.domain.receipt import SKEW_MS, DeliveryReceipt, Verdict
from esito.domain.states import MessageState
from esito.domain.timing import DAY_MS, MINUTE_MS, SECOND_MS

SHORTEST_AFTER_MS = MINUTE_MS
"""The shortest time from a submission to its first query."""

LAST_BEFORE_MS = 5 * MINUTE_MS
"""How long before we stop waiting the last query leaves."""

ASK_AGAIN_MS = 10 * MINUTE_MS
"""When a query is repeated whose answer was not stored: the process died, or none came."""

TOO_LATE_MS = DAY_MS
"""How long after we stopped waiting the last query may still leave, if it could not before."""


class Query(NamedTuple):
    """A segment to query."""

    ref: SegmentRef
    smsc_message_id: str
    """As the operator gave it."""
    sender: str
    """Of the message; empty when it names none."""


class QueryAnswer(NamedTuple):
    """The answer to a query_sm."""

    ref: SegmentRef
    said: DeliveryReceipt
    """As a receipt; without a state if the operator refuses to answer or its answer is not understood."""


def next_query(submitted_at: int, asked_at: int, wait_ms: int) -> int | None:
    """Return when to query a segment again that was queried at `asked_at`; None after the last time.

    `wait_ms`: how long after the submission we wait for the last word.
    """
    last = submitted_at + wait_ms - LAST_BEFORE_MS
    if asked_at >= last:
        return None
    away = max(asked_at - submitted_at, SHORTEST_AFTER_MS)
    return min(submitted_at + 2 * away, last)


def is_too_late(submitted_at: int, at: int, wait_ms: int) -> bool:
    """Tell whether it is too late at `at` to query a segment that left at `submitted_at`."""
    return at > submitted_at + wait_ms + TOO_LATE_MS


def believed(said: DeliveryReceipt, owner: Candidate, namesakes: list[Candidate]) -> DeliveryReceipt:
    """Return the answer as far as it is believed: without its state if that may not move the segment.

    `namesakes`: every segment that the operator gave the same id, the owner included. An answer is about the newest of
    them. One that was final before the segment left, or that names another id, is not about it. UNKNOWN means that the
    operator itself cannot tell: that concludes nothing before its time.
    """
    if said.state is None:
        return said
    if said.smsc_message_id and not set(match_keys(said.smsc_message_id)) & set(match_keys(owner.smsc_message_id)):
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
    """Return the operator's receipts and answers that said more than was known."""
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
    """Pauses queries to an operator that does not answer query_sm; each pause is twice as long.

    Instants are milliseconds of the clock of messages.
    """

    SHORTEST_MS = 30 * SECOND_MS
    LONGEST_MS = 60 * MINUTE_MS

    def __init__(self) -> None:
        self._times = 0
        self._until = 0

    def refused(self, at: int) -> None:
        """Pause. A refusal during a pause answers an earlier query, and does not prolong it."""
        if at >= self._until:
            self._times += 1
            self._until = at + min(self.LONGEST_MS, self.SHORTEST_MS << min(self._times - 1, 20))

    def answered(self) -> None:
        """Resume: the operator answers."""
        self._times = self._until = 0

    def holds(self, at: int) -> bool:
        """Tell whether queries are paused."""
        return at < self._until

    @property
    def until(self) -> int:
        """When the pause ends."""
        return self._until
