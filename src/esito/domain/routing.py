"""Which link serves a number: longest prefix, then the lowest `priority` among usable links; weights share equals.

An accepted recipient gets a route: a link of its own, chosen by weight among those of the best priority, and the others
that serve its prefix. Its own link takes it while that is usable; otherwise the usable others of the best priority do,
so waiting recipients move to the links that work, and back. Links may change while recipients wait: a link that serves
all that another has served may stand in for it (`stand_ins`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from esito.domain.msisdn import longest_prefix
from esito.domain.opt_out import STOP_NUMBER, number_named


class Serving(NamedTuple):
    """What the configuration says of a link's routing."""

    name: str
    prefixes: tuple[str, ...] = ()
    """Empty: all numbers that no other link has a prefix for."""
    weight: int = 1
    priority: int = 1
    stop_number: str = STOP_NUMBER
    """The number that takes a STOP."""


class Route(NamedTuple):
    """The names of a recipient's own link, and of the links that may take its place."""

    link: str
    others: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """How the store names it."""
        return f"{self.link}>{','.join(self.others)}" if self.others else self.link

    @classmethod
    def named(cls, name: str) -> "Route":
        """Return the route that has this name."""
        link, _, others = name.partition(">")
        return cls(link, tuple(others.split(",")) if others else ())


class Share(NamedTuple):
    """A route of a prefix, and its share of the recipients."""

    route: Route
    weight: int


def shares_by_prefix(links: Sequence[Serving]) -> dict[str, tuple[Share, ...]]:
    """Return the routes of every prefix; the empty prefix stands for all other numbers."""
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
    """Return the links that may take recipients of this route; `priorities` has every link that exists."""
    if route.link in priorities and route.link not in passed_over:
        return frozenset({route.link})
    usable = [one for one in route.others if one in priorities and one not in passed_over]
    if not usable:
        return frozenset({route.link})
    best = min(priorities[one] for one in usable)
    return frozenset(one for one in usable if priorities[one] == best)


def stand_ins(name: str, served: frozenset[str], serving: Mapping[str, frozenset[str]]) -> frozenset[str]:
    """Return the links that may take every recipient whose own link this is.

    `served`: the prefixes that the link has served while recipients wait for it. `serving`: those of every link now, an
    empty one for all other numbers. The stand-ins of a removed link are the links that its numbers lead to now, by the
    longest prefix.
    """
    wanted = served
    if name not in serving:
        named = frozenset().union(*serving.values())
        wanted = frozenset(
            max((one for one in named if lost.startswith(one)), key=len, default=lost) for lost in served
        )
    return frozenset(other for other, prefixes in serving.items() if other != name and wanted and wanted <= prefixes)


class Wheel:
    """Shares recipients out by weight, evenly at every moment."""

    def __init__(self, weights: Sequence[int]) -> None:
        self._weights = weights
        self._whole = sum(weights)
        self._ahead = [0] * len(weights)

    def split(self, count: int) -> list[int]:
        """Return how many of the next `count` recipients each one gets."""
        rounds, rest = divmod(count, self._whole)
        got = [rounds * weight for weight in self._weights]
        for _ in range(rest):
            self._ahead = [ahead + weight for ahead, weight in zip(self._ahead, self._weights, strict=True)]
            next_one = self._ahead.index(max(self._ahead))
            self._ahead[next_one] -= self._whole
            got[next_one] += 1
        return got


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """The routing table: the longest prefix wins, links without prefixes take the rest."""

    prefixes: dict[str, str]
    """Prefix (`+33`, or empty for the default link) to the name of a route."""
    numbers: dict[str, int]
    """The store's number of each route, by name."""
    shares: dict[str, tuple[tuple[str, int], ...]] = field(default_factory=dict)
    """By the first route of a prefix that several links serve: all of its routes, each with its weight."""
    stop_numbers: dict[int, str] = field(default_factory=dict)
    """The number that takes a STOP, by the store's number of each route: that of its own link."""

    @classmethod
    def of(cls, links: Sequence[Serving], numbers: Mapping[Route, int]) -> "Routes":
        """Return the routes of configured links."""
        by_prefix = shares_by_prefix(links)
        stop_numbers = {link.name: link.stop_number for link in links}
        return cls(
            prefixes={prefix: shares[0].route.name for prefix, shares in by_prefix.items()},
            numbers={route.name: number for route, number in numbers.items()},
            shares={
                shares[0].route.name: tuple((share.route.name, share.weight) for share in shares)
                for shares in by_prefix.values()
                if len(shares) > 1
            },
            stop_numbers={number: stop_numbers[route.link] for route, number in numbers.items()},
        )

    def stop_number(self, sender: str, route: int) -> str:
        """Return the number in the STOP mention of a message, for recipients of a route."""
        return number_named(sender, self.stop_numbers.get(route, STOP_NUMBER))

    def shortest_stop_number(self, sender: str) -> str:
        """Return the shortest number that the STOP mention of a message may name."""
        return min((self.stop_number(sender, route) for route in (0, *self.stop_numbers)), key=len)

    def route_for(self, msisdn: str) -> str | None:
        """Return the name of the route, the first of several; None if no link serves the number."""
        prefix = longest_prefix(msisdn, self.prefixes)
        return None if prefix is None else self.prefixes[prefix]

    def wheels(self) -> dict[int, tuple[tuple[int, ...], Wheel]]:
        """Return the routes that share a prefix, with their wheel, by the number of the first route."""
        return {
            self.numbers[first]: (
                tuple(self.numbers[name] for name, _ in shares),
                Wheel([weight for _, weight in shares]),
            )
            for first, shares in self.shares.items()
        }
