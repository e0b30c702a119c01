"""Which link serves a number: longest prefix, then the lowest `priority` among usable links; weights share equals.

A recipient is given a route when it is accepted: a link of its own, chosen by weight among those of the best
priority, and the others that serve its prefix. Its own link takes it while that link is usable; else those of the
best priority among the usable others do. So what waits flows to the links that work, and back.
Links change while recipients wait: one that serves all that another has served may stand in for it (`stand_ins`).
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from esito.domain.stop_mention import STOP_NUMBER


class Serving(NamedTuple):
    """What is configured of a link."""

    name: str
    prefixes: tuple[str, ...] = ()
    """Empty: all numbers that no prefix of another link names."""
    weight: int = 1
    priority: int = 1
    stop_number: str = STOP_NUMBER
    """Where a STOP to it is to go."""


class Route(NamedTuple):
    """A link of its own, and those that may take its place, by name."""

    link: str
    others: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """How it is kept."""
        return f"{self.link}>{','.join(self.others)}" if self.others else self.link

    @classmethod
    def named(cls, name: str) -> "Route":
        """Read a name."""
        link, _, others = name.partition(">")
        return cls(link, tuple(others.split(",")) if others else ())


class Share(NamedTuple):
    """A route that recipients of a prefix get, and how many of them."""

    route: Route
    weight: int


def shares_by_prefix(links: Sequence[Serving]) -> dict[str, tuple[Share, ...]]:
    """Return the routes of every prefix; that of all other numbers is empty."""
    serving: dict[str, list[Serving]] = {}
    for link in links:
        for prefix in dict.fromkeys(link.prefixes or ("",)):
            serving.setdefault(prefix, []).append(link)
    return {prefix: tuple(_shares(these)) for prefix, these in serving.items()}


def _shares(links: Sequence[Serving]) -> Iterable[Share]:
    best = min(link.priority for link in links)
    for link in links:
        if link.priority == best:
            others = sorted(one.name for one in links if one.name != link.name)
            yield Share(Route(link.name, tuple(others)), link.weight)


def takers(route: Route, priorities: Mapping[str, int], passed_over: frozenset[str]) -> frozenset[str]:
    """Return which links may take what has this route; `priorities` names every link that there is."""
    if route.link in priorities and route.link not in passed_over:
        return frozenset({route.link})
    usable = [one for one in route.others if one in priorities and one not in passed_over]
    if not usable:
        return frozenset({route.link})
    best = min(priorities[one] for one in usable)
    return frozenset(one for one in usable if priorities[one] == best)


def stand_ins(name: str, served: frozenset[str], serving: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """Return the links that may take whatever has a link for its own.

    `served`: the prefixes it has served while anything waits for it; `serving`: those of every link that there is,
    as configured now, an empty one for all other numbers. A link that there is no more is stood in for by those to
    which its numbers lead now, by the longest prefix.
    """
    wanted = served
    if name not in serving:
        named = frozenset().union(*serving.values())
        wanted = frozenset(
            max((one for one in named if lost.startswith(one)), key=len, default=lost) for lost in served
        )
    return frozenset(other for other, prefixes in serving.items() if other != name and wanted and wanted <= prefixes)


class Wheel:
    """Deals recipients out by weight, evenly at every moment."""

    def __init__(self, weights: Sequence[int]) -> None:
        self._weights = weights
        self._whole = sum(weights)
        self._ahead = [0] * len(weights)

    def split(self, count: int) -> list[int]:
        """Return how many of the next `count` each one gets."""
        rounds, rest = divmod(count, self._whole)
        got = [rounds * weight for weight in self._weights]
        for _ in range(rest):
            self._ahead = [ahead + weight for ahead, weight in zip(self._ahead, self._weights, strict=True)]
            next_one = self._ahead.index(max(self._ahead))
            self._ahead[next_one] -= self._whole
            got[next_one] += 1
        return got
