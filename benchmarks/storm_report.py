"""What a storm came to: how long each message waited, what each link did, and what does not hold."""

import json
import statistics
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

WINDOW = 10.0
"""Seconds over which a link's pace is taken."""

LEAST = 0.8
"""Of what its operator would take, once that has been well for long enough."""


class Offered(NamedTuple):
    """A recipient that the API has accepted; seconds since the storm began."""

    account: str
    operator: int
    at: float


class Pace(NamedTuple):
    """What one link did in one window in which work was waiting."""

    operator: int
    begins: float
    share: float
    """Of what its operator would take."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the operators and the store know in the end."""

    offered: Mapping[str, Offered]
    """By number."""
    taken: Mapping[str, Sequence[float]]
    """When an operator took a submit_sm for a number: one would be right."""
    delivered: frozenset[str] = frozenset()
    """Whose receipt of DELIVRD we have acknowledged."""
    states: Mapping[str, str] = field(default_factory=dict)
    """What the store says of each number."""
    uncertain: frozenset[str] = frozenset()
    """Numbers whose answer was lost, and of whom nobody knows whether they were taken."""
    books: Sequence[str] = ()
    """What `esito check` complains of."""


def taken_of(journal: Path, began_ms: int) -> tuple[dict[str, list[float]], set[str]]:
    """Read an operator's log: when each number was taken, and whose DELIVRD was acknowledged."""
    taken: defaultdict[str, list[float]] = defaultdict(list)
    delivered: set[str] = set()
    for line in journal.read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        number = str(event["to"]).lstrip("+")
        if event["event"] == "submit_sm" and event["status"] == 0:
            taken[number].append((event["at"] - began_ms) / 1000)
        elif event["event"] == "receipt_acknowledged" and event["stat"] == "DELIVRD":
            delivered.add(number)
    return dict(taken), delivered


def waits(told: Told) -> dict[str, list[float]]:
    """Return how many seconds the messages of each account waited to be taken, in order of size."""
    found: defaultdict[str, list[float]] = defaultdict(list)
    for number, one in told.offered.items():
        if number in told.taken:
            found[one.account].append(max(0.0, told.taken[number][0] - one.at))
    return {account: sorted(times) for account, times in found.items()}


def paces(
    told: Told, spells: Iterable[tuple[int, float, float]], per_second: float, window: float = WINDOW
) -> Iterator[Pace]:
    """Yield each link's pace in every window of its spells at whose end as much work was waiting as fits into one.

    `spells`: operator, from, to; `per_second`: what an operator would take. What is uncertain waits for nothing.
    """
    for operator, since, until in spells:
        numbers = {number for number, one in told.offered.items() if one.operator == operator} - told.uncertain
        offered = sorted(told.offered[number].at for number in numbers)
        taken = sorted(at for number in numbers for at in told.taken.get(number, ()))
        for place in range(int((until - since) / window)):
            begins = since + place * window
            before, done = bisect_right(taken, begins), bisect_right(taken, begins + window)
            if bisect_right(offered, begins + window) - done >= per_second * window:
                yield Pace(operator, begins, (done - before) / (per_second * window))


def faults(told: Told, measured: Iterable[Pace]) -> list[str]:
    """Return what does not hold, a sentence each."""
    found = [f"the books: {one}" for one in told.books]
    twice = [number for number in told.taken if len(told.taken[number]) > 1]
    if twice:
        found.append(f"{len(twice)} messages were taken twice, {twice[0]} among them")
    never = told.offered.keys() - told.taken.keys() - told.uncertain
    if never:
        found.append(f"{len(never)} messages never came to an operator, {min(never)} among them")
    unknown = told.taken.keys() - told.offered.keys()
    if unknown:
        found.append(f"{len(unknown)} messages came to an operator and to nobody's account, {min(unknown)} among them")
    wrong = sorted(number for number in told.delivered if told.states.get(number) != "DELIVERED")
    if wrong:
        found.append(f"{len(wrong)} receipts of DELIVRD are acknowledged and lost, that of {wrong[0]} among them")
    slow = [pace for pace in measured if pace.share < LEAST]
    if slow:
        worst = min(slow, key=lambda pace: pace.share)
        found.append(
            f"{len(slow)} times a link was below {LEAST:.0%} of what its operator would take: link {worst.operator}"
            f" at {worst.begins:.0f} s did {worst.share:.0%}"
        )
    return found


def lines(told: Told, measured: Sequence[Pace]) -> Iterator[str]:
    """Yield the report."""
    for account, times in sorted(waits(told).items()):
        p95 = statistics.quantiles(times, n=20)[18] if len(times) > 1 else times[0]
        yield (
            f"account {account}: {len(times)} messages waited p50 {statistics.median(times):.2f} s,"
            f" p95 {p95:.2f} s, at most {times[-1]:.2f} s"
        )
    for operator in sorted({one.operator for one in told.offered.values()}):
        shares = [pace.share for pace in measured if pace.operator == operator]
        if shares:
            said = (
                f"{len(shares)} windows with work waiting, at least {min(shares):.0%} of what its operator would take"
            )
        else:
            said = "no window with work waiting while its operator was well for long enough"
        yield f"link {operator}: {said}"
    states = Counter(told.states.values())
    yield "the store: " + ", ".join(f"{count} {state}" for state, count in sorted(states.items()))
    yield f"{len(told.uncertain)} uncertain: their answers were lost"
