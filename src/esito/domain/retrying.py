"""Refusals of a submit_sm that pass: how often and when it is submitted again, and what slows down meanwhile.

A command_status in the table of its link is tried again a number of times, each pause twice the one
before; any other is final. The table is data: every link may change or add a line. Statuses above
0x3FF are vendor-specific, so none of them has a line by default.
"""

from collections import OrderedDict
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field, fields
from enum import Enum

from esito.domain.timing import SECOND_MS

GENERIC_NACK = "generic_nack"
"""The line of a generic_nack whose command_status has no line of its own."""

HIGHEST_STATUS = 0xFFFFFFFF


class Slows(Enum):
    """What slows down for a while after a status."""

    NOTHING = "nothing"
    DESTINATION = "destination"
    """The segment itself; the link too, once most first tries are answered so."""
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
    """Whether the session that got it binds anew."""
    slows: Slows = Slows.NOTHING

    def retry_at(self, now: int, tried: int) -> int | None:
        """Return when a segment refused `tried` times before is submitted again; None: the refusal is final."""
        if tried >= self.times:
            return None
        pause = min(self.after * float(1 << min(tried, 30)), self.longest)
        return now + round(pause * SECOND_MS)


USUAL: Mapping[int | str, RetryRule] = {
    # ESME_RINVBNDSTS, ESME_RBINDFAIL: the SMSC lost our bind; the message is fine.
    0x04: RetryRule(times=20, rebind=True),
    0x0D: RetryRule(times=20, rebind=True),
    # ESME_RSYSERR: two hours and a half.
    0x08: RetryRule(times=20),
    # ESME_RMSGQFUL: as long as a message is valid, in the end twice an hour.
    0x14: RetryRule(times=100, longest=1800.0, slows=Slows.DESTINATION),
    # ESME_RTHROTTLED: we submit too fast.
    0x58: RetryRule(times=500, longest=300.0, slows=Slows.LINK),
    # ESME_RX_T_APPN: temporary by its name.
    0x64: RetryRule(times=20, after=5.0),
    # ESME_RSERTYPUNAVAIL: the service type is unavailable for the moment.
    0x102: RetryRule(times=10, after=60.0, longest=3600.0),
    # The SMSC could not read the PDU: because of the connection, or of the message.
    GENERIC_NACK: RetryRule(times=3, after=5.0),
}


@dataclass(frozen=True, slots=True)
class RetryTable:
    """The refusals that pass on one link; its own lines win over the usual ones."""

    own: Mapping[int | str, RetryRule] = field(default_factory=dict)

    def rule(self, status: int, *, nack: bool = False) -> RetryRule | None:
        """Return the line for the status of a submit_sm_resp or generic_nack; None: it is final."""
        for table in (self.own, USUAL):
            if status in table:
                return table[status]
        return self.own.get(GENERIC_NACK, USUAL[GENERIC_NACK]) if nack else None

    def line(self, status: int) -> int | str:
        """Return the key of that line; statuses of generic_nack without a line share one."""
        return status if status in self.own or status in USUAL else GENERIC_NACK


MOST_COUNTED = 100_000
"""Segments whose refusals are counted; beyond that, the counts of those refused longest ago are dropped."""


class Refusals:
    """Counts how often each segment was refused, by line of the table.

    Each line is counted by itself, so refusals of other lines neither use up its tries nor lengthen its pauses; even
    alternating refusals end. The counts are this process's: a restart begins anew.
    """

    def __init__(self) -> None:
        self._counts: OrderedDict[Hashable, dict[int | str, int]] = OrderedDict()

    def before(self, segment: Hashable, line: int | str) -> int:
        """Count a refusal; return how many of the same line came before."""
        counts = self._counts.setdefault(segment, {})
        self._counts.move_to_end(segment)
        counts[line] = counts.get(line, 0) + 1
        if len(self._counts) > MOST_COUNTED:
            self._counts.popitem(last=False)
        return counts[line] - 1

    def forget(self, segment: Hashable) -> None:
        """Drop the counts of a segment: it got a final answer."""
        self._counts.pop(segment, None)


def read_rules(written: Mapping[str, Mapping[str, object]]) -> dict[int | str, RetryRule]:
    """Return the lines in a link's settings, such as {"0x08": {"times": 5}}. Raises ValueError."""
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
    """Return a line; missing values are the usual ones of this status."""
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
