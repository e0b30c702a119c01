"""What really happened between us and the operators of a history: who was handed what, what each receipt is about."""

from dataclasses import dataclass, field
from enum import Enum
from typing import NamedTuple

from esito.domain.message import SegmentRef
from esito.domain.states import MessageState

SECOND, MINUTE, HOUR, DAY = 1_000, 60_000, 3_600_000, 86_400_000

NUMBERS = ("33612345678", "33612345679", "41612345678")
"""Few, so that they come again; the first and the last read the same in national form."""
STRANGER = "33699999999"
"""A number that nothing is ever sent to."""


class Writing(NamedTuple):
    """How an operator writes one id, as a format of the number, in its responses and in its receipts."""

    response: str
    receipt: str

    @property
    def converts(self) -> bool:
        """Tell whether the two are in different bases."""
        return ("d" in self.response) is not ("d" in self.receipt)


WRITINGS = {
    "decimal": Writing("{:d}", "{:d}"),
    "hexadecimal": Writing("{:x}", "{:x}"),
    "padded": Writing("{:010d}", "{:010d}"),
    "upper case in receipts": Writing("{:x}", "{:X}"),
    "padded in receipts": Writing("{:d}", "{:010d}"),
    "padded in responses": Writing("{:08x}", "{:x}"),
    "hexadecimal, decimal in receipts": Writing("{:x}", "{:d}"),
    "decimal, hexadecimal in receipts": Writing("{:d}", "{:X}"),
}


@dataclass(slots=True, kw_only=True)
class Operator:
    """An SMSC, as far as it shows in ids and dates."""

    name: str
    writing: Writing
    first: int = 1
    round: int = 0
    """After how many ids they come again; 0: never."""
    offset: int = 0
    """By how much its clock is ahead of ours, in milliseconds."""
    precision: int = SECOND
    """Of the submit dates that it writes; 0: it writes none."""
    given: int = 0

    def __str__(self) -> str:
        ids = f"ids {self.writing.response} in responses, {self.writing.receipt} in receipts, from {self.first}"
        ids += f", {self.round} in all" if self.round else ""
        dates = f"dates to {self.precision // SECOND} s" if self.precision else "no dates"
        return f"{self.name}: {ids}; {dates}, clock {self.offset // SECOND:+d} s"

    def next_id(self, ahead: int = 0) -> int:
        """Return the number of the id that the submit_sm after `ahead` others will get."""
        count = self.given + ahead
        return self.first + (count % self.round if self.round else count)

    def date(self, at: int) -> int | None:
        """Return the submit date that it writes of what it took at an instant of ours."""
        return (at + self.offset) // self.precision * self.precision if self.precision else None


class Fate(Enum):
    """What we know of one submit_sm."""

    OWED = "no response yet"
    ACCEPTED = "accepted"
    LOST = "response lost"
    TURNED_AWAY = "not taken"
    """Refused, throttled or never written: no receipt can be about it."""


@dataclass(slots=True, eq=False, kw_only=True)
class Attempt:
    """One submit_sm."""

    segment: "Segment"
    number: int
    """Attempts before it."""
    left: int
    fate: Fate = Fate.OWED
    smsc_id: int | None = None
    """The number of its id, once the operator has taken it."""
    told: str | None = None
    """The id that its response brought us."""
    may_answer: bool = True
    """Whether its connection is still there to bring a late response."""


@dataclass(slots=True, eq=False, kw_only=True)
class Segment:
    """One segment of one recipient."""

    ref: SegmentRef
    name: str
    msisdn: str
    link: int
    operator: Operator
    again: bool
    """Whether its link submits uncertain segments again."""
    attempts: list[Attempt] = field(default_factory=list)
    level: int = 0
    """The highest rung that the store has written in its trail."""
    finished_at: int | None = None
    """When the store first wrote a final rung."""
    spoiled: bool = False
    """A receipt that nobody can tell whose it is may have been taken for its own."""

    @property
    def maybe_taken(self) -> list[Attempt]:
        """The submit_sm that the operator took, for all we know."""
        return [one for one in self.attempts if one.fate is not Fate.TURNED_AWAY]


@dataclass(slots=True, eq=False, kw_only=True)
class Receipt:
    """One delivery receipt, each repetition being one of its own."""

    serial: int
    operator: Operator
    about: Attempt | None
    """The submit_sm that it is about; None: one of somebody else's."""
    smsc_id: str
    state: MessageState | None
    counts: bool
    names: frozenset[str] | None
    """The numbers that its addresses may mean; None: it names nobody."""
    dated: int | None
    received_at: int
    before: list[Attempt] = field(default_factory=list)
    """The submit_sm of its operator that left before it came."""
    near: list[Attempt] = field(default_factory=list)
    """The submit_sm whose number and time fit."""
    settled_on: set[SegmentRef] = field(default_factory=set)
    """The segments in whose trail the store has written it."""
    doubtful: bool = False
    """There was a moment at which nobody could have told whose it is."""

    @property
    def segment(self) -> Segment | None:
        """The segment that it is about."""
        return None if self.about is None else self.about.segment
