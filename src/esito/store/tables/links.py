"""The links and operators that segments and receipts refer to, by number."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec

from esito.domain.errors import UnknownLink
from esito.domain.operator_habits import IdForm, Learned
from esito.domain.routing import Route, stand_ins, takers
from esito.domain.states import MultipartRule
from esito.domain.timing import VALIDITY_MS
from esito.store.base import LinkRecord
from esito.store.tables.connection import Connection

FORM_OF_COLUMN = (IdForm.AS_IS, IdForm.STRIP_ZEROS, IdForm.HEX_TO_DEC, IdForm.DEC_TO_HEX)
"""The columns of `operator` that count evidence, in their order."""

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


class Claimable(NamedTuple):
    """What one link may claim now."""

    numbers: list[int]
    """Of routes."""
    shared: list[int]
    """Those of them that are of several links."""
    elsewhere: list[int]
    """Numbers of links that are passed over, whose postponed segments of these routes it may claim too."""


class Links:
    """What the writer knows of links: what is configured, kept in memory after registration.

    What is learned of an operator's ids is never kept in memory: it is read in each transaction that needs it, so that
    nothing is learned from one that is undone, nor anything missed that another process has learned.
    """

    def __init__(self) -> None:
        self._known: dict[str, KnownLink] = {}
        self._configured: dict[str, LinkRecord] = {}
        self._served: dict[str, frozenset[str]] = {}
        self._operators: dict[int, str] = {}
        self._kept_routes: dict[int, Route] = {}
        self._routes: dict[int, Route] = {}
        self._priorities: dict[str, int] = {}
        self._claimable: dict[tuple[str, frozenset[str]], Claimable] = {}
        self.rules: dict[str, MultipartRule] = {}
        self.waits: dict[str, int] = {}
        """How long after a submission the last word of each link's operator is waited for, in milliseconds."""
        self.asks: dict[str, int] = {}
        """The links that ask by query_sm, and for how long a segment is away before, in milliseconds."""

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
    def operators(self) -> list[int]:
        """The operators of all registered links."""
        return sorted(self._operators)

    @property
    def longest_wait_ms(self) -> int:
        """How long after a submission the last word of any operator is waited for, in milliseconds."""
        return max([VALIDITY_MS, *self.waits.values()])

    def register(self, connection: Connection, batches: Sequence[Sequence[LinkRecord]]) -> list[dict[str, int]]:
        """Keep links under stable numbers."""
        before = {name: prefixes for _, name, *_, prefixes in connection.rows("links")}
        registered = [
            {record.name: self._register(connection, record, before.get(record.name)) for record in batch}
            for batch in batches
        ]
        # Those that were configured once are known too: receipts for what they submitted may still come.
        for number, name, operator, again, sender, stop_number, prefixes in connection.rows("links"):
            self._known[name] = KnownLink(number, operator, bool(again), sender, stop_number)
            if prefixes is not None:
                self._served[name] = frozenset(msgspec.json.decode(prefixes, type=list[str]))
        self._find_routes()
        return registered

    def _register(self, connection: Connection, record: LinkRecord, before: str | None) -> int:
        connection.run("insert_operator", record.operator)
        operator = connection.number("operator_named", record.operator)
        prefixes = _prefixes(connection, record, before)
        again = int(record.resubmit_uncertain)
        connection.run("keep_link", record.name, operator, again, prefixes, record.sender, record.stop_number)
        self._operators[operator] = record.operator
        self._served.pop(record.name, None)
        self._configured[record.name] = record
        self.rules[record.name] = record.multipart_rule
        self.waits[record.name] = record.wait_ms
        self.asks.pop(record.name, None)
        if record.query_after_ms:
            self.asks[record.name] = record.query_after_ms
        return connection.number("link_named", record.name)

    def retire(self, _connection: Connection, batches: Sequence[Sequence[str]]) -> list[None]:
        """Have no such links any more; what they submitted is still theirs."""
        for name in {name for batch in batches for name in batch}:
            self._configured.pop(name, None)
            self.asks.pop(name, None)
        self._find_routes()
        return [None] * len(batches)

    def register_routes(self, connection: Connection, batches: Sequence[Sequence[Route]]) -> list[dict[Route, int]]:
        """Keep routes under stable numbers: of one link that of the link, of several ones below zero."""
        for route in {route for batch in batches for route in batch if route.others}:
            connection.run("keep_route", route.name, self.named(route.link).id)
        # Those that were configured once are known too: what still has them is taken by the links that are left.
        self._kept_routes = {-number: Route.named(name) for number, name in connection.rows("routes")}
        self._find_routes()
        numbers = {route: number for number, route in self._kept_routes.items()}
        return [
            {route: numbers[route] if route.others else self.named(route.link).id for route in batch}
            for batch in batches
        ]

    def _find_routes(self) -> None:
        """Work out who may take what; questions meanwhile see the state before or after."""
        serving = {
            name: frozenset(record.prefixes or ("",))
            for name, record in self._configured.items()
            if record.prefixes is not None
        }
        found = {}
        alone = {known.id: Route(name) for name, known in self._known.items()}
        for number, route in (self._kept_routes | alone).items():
            others = stand_ins(route.link, self._served.get(route.link, frozenset()), serving) | {*route.others}
            found[number] = Route(route.link, tuple(sorted(others - {route.link})))
        self._routes = found
        self._priorities = {name: record.priority for name, record in self._configured.items()}
        self._claimable = {}

    def routes_of(self, name: str, passed_over: frozenset[str]) -> Claimable:
        """Return what a link may claim while others are passed over. Raises UnknownLink."""
        key = name, passed_over
        # Links may change in the writer's thread meanwhile: what was found of those before is then not remembered.
        remembered = self._claimable
        found = remembered.get(key)
        if found is None:
            if len(remembered) > MOST_REMEMBERED:
                remembered.clear()
            found = remembered[key] = self._find_claimable(name, passed_over)
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

    def hold(self, connection: Connection, links: Iterable[str]) -> dict[str, Learned]:
        """Let nobody else settle receipts of these links' operators until the transaction ends.

        Return what is known of the ids of each link's operator; links of one operator share it. Raises UnknownLink.
        """
        known = {name: self.named(name).operator for name in links}
        forms = {
            operator: self._learned(operator, counted)
            for operator, *counted in connection.rows("operator_forms", sorted(set(known.values())))
        }
        return {name: forms[operator] for name, operator in known.items()}

    def keep(self, connection: Connection, forms: Mapping[str, Learned]) -> list[int]:
        """Keep what was learned in this transaction; return the operators whose form became known by it."""
        became_known = []
        for operator, learned in {self.named(name).operator: learned for name, learned in forms.items()}.items():
            if learned.changed or learned.dates.changed:
                learned.changed = learned.dates.changed = False
                seen = [learned.seen[form] for form in FORM_OF_COLUMN]
                connection.run("keep_form", operator, *seen, learned.ambiguous, learned.dates.count)
                if learned.became_known and learned.ambiguous:
                    became_known.append(operator)
        return became_known

    def knows_form(self, read: Connection, operator: int) -> bool:
        """Tell whether it is known how an operator writes ids in receipts."""
        return self._learned(operator, read.row("operator_shown", operator)).form is not IdForm.AUTO

    def by_operator(self, read: Connection) -> dict[str, Learned]:
        """Return what is known of every operator's ids, by its name."""
        return {
            name: self._learned(operator, read.row("operator_shown", operator))
            for operator, name in self._operators.items()
        }

    def _learned(self, operator: int, counted: Sequence[int]) -> Learned:
        *seen, ambiguous, dates = counted
        return Learned(self._locked(operator), dict(zip(FORM_OF_COLUMN, seen, strict=True)), ambiguous, dates)

    def _locked(self, operator: int) -> IdForm:
        """Return the form that counts for all links of an operator, where one of them names it."""
        forms = (
            record.message_id_form
            for record in self._configured.values()
            if record.operator == self._operators.get(operator)
        )
        return next((form for form in forms if form is not IdForm.AUTO), IdForm.AUTO)


def _prefixes(connection: Connection, record: LinkRecord, before: str | None) -> str | None:
    """Return the prefixes to keep of a link: while anything waits for it, those of before too."""
    if record.prefixes is None:
        return None
    served = {*(record.prefixes or ("",))}
    if before is not None:
        earlier = set(msgspec.json.decode(before, type=list[str]))
        if earlier - served and connection.number("something_waits", connection.number("link_named", record.name)):
            served |= earlier
    return msgspec.json.encode(sorted(served)).decode()
