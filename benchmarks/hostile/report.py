"""What an attack came to: how long the well-behaved account waited, quiet and attacked, and what does not hold."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

QUIET, ATTACKED = "quiet", "attacked"

TIMES = 5.0
"""Times its quiet p99 that the p99 of an attacked account may be."""
MOST_MS = 100.0
GROWTH_MB = 50.0
LATE = 1.0
"""Seconds after which an answer to enquire_link, or one of our own, is late."""


class Memory(NamedTuple):
    """What the server's processes hold, megabytes."""

    before: float
    most: float


NO_MEMORY = Memory(0.0, 0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was seen on one store."""

    store: str
    milliseconds: Mapping[str, Mapping[str, Sequence[float]]]
    """By phase and by what was asked."""
    wrong: Sequence[str] = ()
    failed: int = 0
    """Of the well-behaved account's requests, those that were not answered as they must be."""
    sent: int = 0
    delivered: int = 0
    calls: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Of the big account."""
    connections: Mapping[str, int] = field(default_factory=dict)
    bodies: Mapping[str, int] = field(default_factory=dict)
    links_ended: int = 0
    enquire_came: Sequence[float] = ()
    """Seconds by which an enquire_link of the server came later than its interval."""
    enquire_answered: Sequence[float] = ()
    """Seconds that the SMSC waited for its answers."""
    memory: Memory = NO_MEMORY
    ended: int | None = None
    """With what the server ended, if it did."""
    books: Sequence[str] = ()


def p99(milliseconds: Sequence[float]) -> float:
    """Return the time within which 99 of 100 were answered."""
    return statistics.quantiles(milliseconds, n=100)[98] if len(milliseconds) > 1 else milliseconds[0]


def broken(seen: Seen) -> list[str]:
    """Return what is wrong whatever the machine, a sentence each."""
    found = [f"the books: {one}" for one in seen.books]
    if seen.ended is not None:
        found.append(f"the server ended with {seen.ended}")
    if seen.failed:
        found.append(f"{seen.failed} answers to the well-behaved account were not as they must be: {seen.wrong[0]}")
    if seen.delivered < seen.sent:
        found.append(f"of {seen.sent} messages of the well-behaved account {seen.delivered} were delivered")
    if seen.links_ended:
        found.append(f"{seen.links_ended} sessions of a link ended")
    never = [operation for operation, answers in seen.calls.items() if not answers]
    if never:
        found.append(f"{len(never)} operations were never asked for, {never[0]} among them")
    faults = [one for one, answers in seen.calls.items() for status in answers if status in ("500", "502", "504")]
    if faults:
        found.append(f"{len(faults)} operations were answered with a fault of the server, {faults[0]} among them")
    return found


def slow(seen: Seen) -> list[str]:
    """Return which bounds of time and memory do not hold, a sentence each."""
    found = []
    for kind, attacked in seen.milliseconds.get(ATTACKED, {}).items():
        quiet = seen.milliseconds[QUIET][kind]
        most = min(MOST_MS, TIMES * p99(quiet))
        if p99(attacked) > most:
            found.append(f"the p99 of {kind} is {p99(attacked):.1f} ms, at most {most:.1f} are allowed")
    for what, seconds in (("answers to enquire_link", seen.enquire_answered), ("enquire_link", seen.enquire_came)):
        late = [one for one in seconds if one > LATE]
        if late:
            found.append(f"{len(late)} {what} were late, by up to {max(late):.1f} s")
    growth = seen.memory.most - seen.memory.before
    if growth > GROWTH_MB:
        found.append(f"memory grows by {growth:.0f} MB, {GROWTH_MB:.0f} are allowed")
    return found


def lines(seen: Seen) -> Iterator[str]:
    """Yield the report."""
    yield f"{seen.store}:"
    for kind, attacked in seen.milliseconds.get(ATTACKED, {}).items():
        quiet = seen.milliseconds[QUIET][kind]
        yield (
            f"  {kind}: quiet p50 {statistics.median(quiet):.1f} ms, p99 {p99(quiet):.1f} ms ({len(quiet)});"
            f" attacked p50 {statistics.median(attacked):.1f} ms, p99 {p99(attacked):.1f} ms, at most"
            f" {max(attacked):.0f} ms ({len(attacked)}); p99 {p99(attacked) / p99(quiet):.1f} times"
        )
    if seen.enquire_answered and seen.enquire_came:
        yield (
            f"  enquire_link: {len(seen.enquire_answered)} answered within {max(seen.enquire_answered):.2f} s,"
            f" {len(seen.enquire_came)} came, at most {max(seen.enquire_came):.2f} s late"
        )
    yield f"  memory: {seen.memory.before:.0f} MB before, at most {seen.memory.most:.0f} MB"
    yield f"  messages of the well-behaved account: {seen.sent} sent, {seen.delivered} delivered"
    calls = sum(sum(answers.values()) for answers in seen.calls.values())
    yield f"  the big account: {calls} calls of {len(seen.calls)} operations"
    for operation, answers in sorted(seen.calls.items()):
        told = ", ".join(f"{count} x {status}" for status, count in sorted(answers.items()))
        yield f"    {operation}: {told}"
    yield "  connections: " + ", ".join(f"{count} {kind}" for kind, count in sorted(seen.connections.items()))
    yield "  bodies: " + ", ".join(f"{count} x {kind}" for kind, count in sorted(seen.bodies.items()))
