"""Which refusals of a submit_sm pass: how often and when it is submitted again, and what slows down meanwhile.

A command_status that stands in the table of its link is tried again so many times, each pause twice
the one before; any other is the operator's last word. The table is data: every link may change or
add a line. Statuses beyond 0x3FF are each operator's own, so none of them has a line by default.
"""

from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, fields
from enum import Enum

from esito.domain.timing import SECOND_MS

GENERIC_NACK = "generic_nack"
"""The line for a generic_nack whose command_status has no line of its own."""

HIGHEST_STATUS = 0xFFFFFFFF


class Slows(Enum):
    """What submits less for a while when a status comes."""

    NOTHING = "nothing"
    DESTINATION = "destination"
    """The segment itself; the link too once most numbers that are tried for the first time are answered so."""
    LINK = "link"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryRule:
    """One line of the table; times are seconds."""

    times: int
    """How often it is submitted again; 0: never."""
    after: float = 1.0
    """The pause before the first time."""
    longest: float = 600.0
    """No pause is longer."""
    rebind: bool = False
    """Whether the session that was answered so is bound anew."""
    slows: Slows = Slows.NOTHING

    def retry_at(self, now: int, tried: int) -> int | None:
        """Return when a segment is submitted again that was tried so often before; None: never, this is final."""
        if tried >= self.times:
            return None
        pause = min(self.after * float(1 << min(tried, 30)), self.longest)
        return now + round(pause * SECOND_MS)


USUAL: Mapping[int | str, RetryRule] = {
    # ESME_RINVBNDSTS, ESME_RBINDFAIL: the SMSC has lost our bind; nothing is wrong with the message.
    0x04: RetryRule(times=20, rebind=True),
    0x0D: RetryRule(times=20, rebind=True),
    # ESME_RSYSERR: two hours and a half.
    0x08: RetryRule(times=20),
    # ESME_RMSGQFUL: for as long as a message is valid, at last twice an hour.
    0x14: RetryRule(times=100, longest=1800.0, slows=Slows.DESTINATION),
    # ESME_RTHROTTLED: our own pace is at fault.
    0x58: RetryRule(times=500, longest=300.0, slows=Slows.LINK),
    # ESME_RX_T_APPN: temporary by its name.
    0x64: RetryRule(times=20, after=5.0),
    # ESME_RSERTYPUNAVAIL: the kind of service is not there at the moment.
    0x102: RetryRule(times=10, after=60.0, longest=3600.0),
    # The SMSC could not read what it got: it may have been the line, and it may be the message.
    GENERIC_NACK: RetryRule(times=3, after=5.0),
}


@dataclass(frozen=True, slots=True)
class RetryTable:
    """The refusals that pass on one link; its own lines go before the usual ones."""

    own: Mapping[int | str, RetryRule] = field(default_factory=dict)

    def rule(self, status: int, *, nack: bool = False) -> RetryRule | None:
        """Return the line for the status of a submit_sm_resp, or of a generic_nack; None: it is final."""
        for table in (self.own, USUAL):
            if status in table:
                return table[status]
        return self.own.get(GENERIC_NACK, USUAL[GENERIC_NACK]) if nack else None

    def line(self, status: int) -> int | str:
        """Return which line that is: of a generic_nack whose status has none, one for all of them."""
        return status if status in self.own or status in USUAL else GENERIC_NACK


MOST_COUNTED = 100_000
"""Segments whose refusals are counted; of more, those that were refused longest ago begin anew."""


class Refusals:
    """Counts how often each segment was refused, by the line of the table.

    What other refusals did uses up nothing of how often this one is tried again, and makes no pause longer; and taking
    turns they come to an end too. The counts are those of this process: a restart begins anew.
    """

    def __init__(self) -> None:
        self._counts: OrderedDict[Hashable, dict[int | str, int]] = OrderedDict()

    def before(self, segment: Hashable, line: int | str) -> int:
        """Count a refusal; return how many by the same line came before it."""
        counts = self._counts.setdefault(segment, {})
        self._counts.move_to_end(segment)
        counts[line] = counts.get(line, 0) + 1
        if len(self._counts) > MOST_COUNTED:
            self._counts.popitem(last=False)
        return counts[line] - 1

    def forget(self, segment: Hashable) -> None:
        """Count nothing more: there was another answer than a refusal that passes."""
        self._counts.pop(segment, None)


def read_rules(written: Mapping[str, Mapping[str, object]]) -> dict[int | str, RetryRule]:
    """Return the lines that a link's settings write, such as {"0x08": {"times": 5}}. Raises ValueError."""
    return {_status(key): _rule(_status(key), line) for key, line in written.items()}


def _status(key: str) -> int | str:
    if key == GENERIC_NACK:
        return key
    if not key.lower().startswith("0x"):
        raise ValueError(key)
    status = int(key, 16)
    if not 0 < status <= HIGHEST_STATUS:
        raise ValueError(key)
    return status


def _rule(status: int | str, line: Mapping[str, object]) -> RetryRule:
    """Return a line; what it does not say is as usual for this status."""
    usual = USUAL.get(status, RetryRule(times=0))
    values: dict[str, object] = {one.name: getattr(usual, one.name) for one in fields(RetryRule)}
    values |= line
    if values.keys() != {one.name for one in fields(RetryRule)} or ("times" not in line and status not in USUAL):
        raise ValueError(line)
    times, after, longest, rebind = (values[name] for name in ("times", "after", "longest", "rebind"))
    if type(times) is not int or not 0 <= times <= 10_000 or type(rebind) is not bool:
        raise ValueError(line)
    return RetryRule(
        times=times, after=_seconds(after), longest=_seconds(longest), rebind=rebind, slows=Slows(values["slows"])
    )


def _seconds(value: object) -> float:
    if type(value) not in {int, float} or not 0 < value <= 86_400:  # type: ignore[operator]  # it is a number
        raise ValueError(value)
    return float(value)  # type: ignore[arg-type]  # it is a number
