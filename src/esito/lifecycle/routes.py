"""Which links serve a number, and which number a STOP is to be written to there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from esito.domain.msisdn import longest_prefix
from esito.domain.routing import Route, Serving, Wheel, shares_by_prefix
from esito.domain.stop_mention import STOP_NUMBER, number_named


@dataclass(frozen=True, slots=True, kw_only=True)
class Routes:
    """Which links serve a number: longest prefix wins, links without prefixes take the rest (`domain/routing`)."""

    prefixes: dict[str, str]
    """Prefix (`+33`, or empty for the default link) to the name of a route."""
    numbers: dict[str, int]
    """The store's number of each route, by name."""
    shares: dict[str, tuple[tuple[str, int], ...]] = field(default_factory=dict)
    """For the route of a prefix that several links serve: all of them, each with its weight."""
    stop_numbers: dict[int, str] = field(default_factory=dict)
    """Where a STOP is to go, by the store's number of each route: that of its own link."""

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
        """Return the number that the STOP mention of a message names to the recipients of a route."""
        return number_named(sender, self.stop_numbers.get(route, STOP_NUMBER))

    def shortest_stop_number(self, sender: str) -> str:
        """Return the shortest of the numbers that the STOP mention of a message may name."""
        return min((self.stop_number(sender, route) for route in (0, *self.stop_numbers)), key=len)

    def route_for(self, msisdn: str) -> str | None:
        """Return the name of the route, the first of several; None when no link serves the number."""
        prefix = longest_prefix(msisdn, self.prefixes)
        return None if prefix is None else self.prefixes[prefix]

    def wheels(self) -> dict[int, tuple[tuple[int, ...], Wheel]]:
        """Return what deals recipients out to the routes of a prefix, by the number of the first."""
        return {
            self.numbers[first]: (
                tuple(self.numbers[name] for name, _ in shares),
                Wheel([weight for _, weight in shares]),
            )
            for first, shares in self.shares.items()
        }
