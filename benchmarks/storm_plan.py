"""What goes wrong in a storm, at which operator, and when each one has been well for how long."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from esito.simulator.trouble import Trouble, TroubleKind

STORM = 600.0
"""Seconds for which the plan below is written; a shorter storm is the same, pressed together."""

FULL_PREFIXES = ("33600", "33610", "33620", "33630")
"""Of each operator: the numbers that are full at times begin so."""


class Gust(NamedTuple):
    """One trouble of one operator; seconds since the storm began."""

    begins: float
    lasts: float
    operator: int
    trouble: Trouble

    @property
    def ends(self) -> float:
        return self.begins + self.lasts


def _throttled(per_second: int = 0) -> Trouble:
    return Trouble(kind=TroubleKind.THROTTLED, per_second=per_second)


def _full(operator: int) -> Trouble:
    return Trouble(kind=TroubleKind.FULL, prefixes=(FULL_PREFIXES[operator],))


_BLACK_HOLE = Trouble(kind=TroubleKind.BLACK_HOLE)
_UNBIND = Trouble(kind=TroubleKind.UNBIND)
_DISCONNECT = Trouble(kind=TroubleKind.DISCONNECT)
_WRONG_PASSWORD = Trouble(kind=TroubleKind.BINDS_REFUSED)
_AWAY = Trouble(kind=TroubleKind.AWAY)

OPERATORS = 4

PLAN: tuple[Gust, ...] = (
    Gust(20, 12, 0, _throttled()),
    Gust(20, 90, 1, _full(1)),
    Gust(40, 45, 2, _BLACK_HOLE),
    Gust(60, 0, 3, _UNBIND),
    Gust(90, 0, 3, _DISCONNECT),
    # A password that is refused shows when one binds anew.
    Gust(100, 30, 0, _WRONG_PASSWORD),
    Gust(101, 0, 0, _DISCONNECT),
    Gust(130, 20, 3, _throttled(5)),
    # A half of the operators away.
    Gust(240, 45, 1, _AWAY),
    Gust(240, 45, 2, _AWAY),
    Gust(250, 0, 0, _UNBIND),
    Gust(255, 40, 3, _full(3)),
    Gust(260, 12, 0, _throttled()),
    # Everything at once, for the last time.
    Gust(400, 30, 0, _full(0)),
    Gust(400, 12, 1, _throttled()),
    Gust(400, 20, 2, _BLACK_HOLE),
    Gust(405, 0, 3, _UNBIND),
    Gust(410, 25, 3, _WRONG_PASSWORD),
    Gust(411, 0, 3, _DISCONNECT),
)


def pressed(plan: Sequence[Gust], seconds: float) -> list[Gust]:
    """Return the plan for a storm of so many seconds, in order; what it holds lasts as much shorter."""
    share = min(1.0, seconds / STORM)
    return sorted(
        (Gust(one.begins * share, one.lasts * share, one.operator, one.trouble) for one in plan),
        key=lambda one: one.begins,
    )


def well_spells(plan: Sequence[Gust], operator: int, until: float, well_for: float) -> Iterator[tuple[float, float]]:
    """Yield the spells in which an operator has been well for so long, up to a moment: from, to."""
    since = 0.0
    for begins, ends in sorted((one.begins, one.ends) for one in plan if one.operator == operator):
        if begins > since + well_for:
            yield since + well_for, begins
        since = max(since, ends)
    if until > since + well_for:
        yield since + well_for, until
