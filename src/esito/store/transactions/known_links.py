"""The links and operators that segments and receipts refer to, by number: a picture that is replaced, never changed.

The event loop replaces it once a transaction that changed links is durable; a transaction takes it at its beginning.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import msgspec

from esito.domain.errors import UnknownLink
from esito.domain.operator_habits import IdForm
from esito.domain.routing import Route, stand_ins, takers
from esito.domain.timing import VALIDITY_MS
from esito.store.interface.link_store import LinkRecord

MOST_REMEMBERED = 256
"""Answers to what a link may claim that are kept."""

UNROUTED = "(none)"
"""The name behind link number 0: recipients whom no link serves yet."""


class KnownLink(NamedTuple):
    """A link as rows refer to it."""

    id: int
    operator: int
    resubmit_uncertain: bool
    sender: str = ""
    """Of messages that name none; empty: the operator's choice."""
    stop_number: str = ""
    """Where a STOP to it is to go; empty: it was last used before that was known."""


class RegisteredLink(NamedTuple):
    """A link as it is kept."""

    id: int
    name: str
    operator: int
    resubmit_uncertain: int
    sender: str
    stop_number: str
    prefixes: str | None

    @property
    def known(self) -> KnownLink:
        """The link as rows refer to it."""
        return KnownLink(self.id, self.operator, bool(self.resubmit_uncertain), self.sender, self.stop_number)

    @property
    def served(self) -> frozenset[str] | None:
        """The prefixes that it serves or served; None: nobody stands in for it."""
        if self.prefixes is None:
            return None
        return frozenset(msgspec.json.decode(self.prefixes, type=list[str]))


class Claimable(NamedTuple):
    """What one link may claim now."""

    numbers: list[int]
    """Of routes."""
    shared: list[int]
    """Those of them that are of several links."""
    elsewhere: list[int]
    """Numbers of links that are passed over, whose postponed segments of these routes it may claim too."""


class Links:
    """What there is of links: never changed, but replaced, so that whoever has begun with it ends with it.

    What is learned of an operator's ids is not in it: that is read in each transaction that needs it (`id_forms`).
    """

    def __init__(
        self,
        *,
        kept: Iterable[RegisteredLink] = (),
        records: Mapping[str, LinkRecord] | None = None,
        configured: frozenset[str] = frozenset(),
        kept_routes: Mapping[int, Route] | None = None,
    ) -> None:
        """`kept`: every link that there is or was. `records`: those of this process, by name.

        `configured`: those of them that there still are. `kept_routes`: routes of several links, by number.
        """
        self._kept = tuple(kept)
        self._records = records or {}
        self._configured = configured
        self._kept_routes = kept_routes or {}
        self._known = {row.name: row.known for row in self._kept}
        self._operators = {self._known[name].operator: one.operator for name, one in self._records.items()}
        self._priorities = {name: self._records[name].priority for name in configured}
        self._claimable: dict[tuple[str, frozenset[str]], Claimable] = {}
        self._routes = self._find_routes()
        self.rules = {name: record.multipart_rule for name, record in self._records.items()}
        """What makes a recipient of its segments, by the link that submitted them."""
        self.waits = {name: record.wait_ms for name, record in self._records.items()}
        """How long after a submission the last word of each link's operator is waited for, in milliseconds."""
        self.asks = {name: after for name in configured if (after := self._records[name].query_after_ms)}
        """The links that ask by query_sm, and for how long a segment is away before, in milliseconds."""

    # -- what follows a transaction ----------------------------------------------------------------

    def with_registered(self, records: Iterable[LinkRecord], kept: Iterable[RegisteredLink]) -> "Links":
        """Return these with others that were registered; `kept`: every link that there is or was now."""
        added = {record.name: record for record in records}
        configured = self._configured | added.keys()
        known = {**self._records, **added}
        return Links(kept=kept, records=known, configured=configured, kept_routes=self._kept_routes)

    def without(self, names: Iterable[str]) -> "Links":
        """Return these without some; what they submitted is still theirs."""
        configured = self._configured - frozenset(names)
        return Links(kept=self._kept, records=self._records, configured=configured, kept_routes=self._kept_routes)

    def with_routes(self, routes: Mapping[int, Route]) -> "Links":
        """Return these with all routes of several links that there are or were, by number."""
        return Links(kept=self._kept, records=self._records, configured=self._configured, kept_routes=routes)

    # -- questions -----------------------------------------------------------------------------------

    def named(self, name: str) -> KnownLink:
        """Return a registered link. Raises UnknownLink."""
        try:
            return self._known[name]
        except KeyError:
            raise UnknownLink(
                f"there is no link {name!r} in these settings; every process of an installation needs the same links"
            ) from None

    @property
    def known(self) -> list[KnownLink]:
        """Every link that there is or was."""
        return list(self._known.values())

    @property
    def operators(self) -> Mapping[int, str]:
        """The operators of all registered links, by number."""
        return self._operators

    @property
    def longest_wait_ms(self) -> int:
        """How long after a submission the last word of any operator is waited for, in milliseconds."""
        return max([VALIDITY_MS, *self.waits.values()])

    def locked_form(self, operator: int) -> IdForm:
        """Return the form of ids that counts for all links of an operator, where one of them names it."""
        records = (self._records[name] for name in sorted(self._configured))
        forms = (one.message_id_form for one in records if one.operator == self._operators.get(operator))
        return next((form for form in forms if form is not IdForm.AUTO), IdForm.AUTO)

    def routes_of(self, name: str, passed_over: frozenset[str]) -> Claimable:
        """Return what a link may claim while others are passed over. Raises UnknownLink."""
        key = name, passed_over
        found = self._claimable.get(key)
        if found is None:
            if len(self._claimable) > MOST_REMEMBERED:
                self._claimable.clear()
            found = self._claimable[key] = self._find_claimable(name, passed_over)
        return found

    def _find_routes(self) -> dict[int, Route]:
        """Work out who may take what."""
        serving = {
            name: frozenset(prefixes or ("",))
            for name in self._configured
            if (prefixes := self._records[name].prefixes) is not None
        }
        served = {row.name: row.served for row in self._kept if row.served is not None}
        found = {}
        alone = {known.id: Route(name) for name, known in self._known.items()}
        for number, route in ({**self._kept_routes} | alone).items():
            others = stand_ins(route.link, served.get(route.link, frozenset()), serving) | {*route.others}
            found[number] = Route(route.link, tuple(sorted(others - {route.link})))
        return found

    def _find_claimable(self, name: str, passed_over: frozenset[str]) -> Claimable:
        own = self.named(name).id
        shared = {
            number: route
            for number, route in self._routes.items()
            if number != own and name in takers(route, self._priorities, passed_over)
        }
        members = {member for route in shared.values() for member in (route.link, *route.others)} - {name}
        gone = [
            self._known[one].id
            for one in sorted(members)
            if one in self._known and (one in passed_over or one not in self._priorities)
        ]
        return Claimable([own, *shared], list(shared), gone)


class LinkRegistry:
    """Has the links as the last transaction that is durable left them; replaced by the event loop alone."""

    def __init__(self) -> None:
        self.now = Links()
