"""The links and operators that segments and receipts refer to, by number."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from esito.domain.errors import UnknownLink
from esito.domain.id_forms import IdForm, Learned
from esito.domain.routing import Route, takers
from esito.domain.states import MultipartRule
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


class Claimable(NamedTuple):
    """What one link may claim now."""

    numbers: list[int]
    """Of routes."""
    shared: list[int]
    """Those of them that are of several links."""
    elsewhere: list[int]
    """Numbers of links that are passed over, whose postponed segments of these routes it may claim too."""


class Links:
    """What the writer knows of links, kept in memory after registration."""

    def __init__(self) -> None:
        self._known: dict[str, KnownLink] = {}
        self._operators: dict[str, str] = {}
        self._routes: dict[int, Route] = {}
        self._priorities: dict[str, int] = {}
        self._claimable: dict[tuple[str, frozenset[str]], Claimable] = {}
        self.rules: dict[str, MultipartRule] = {}
        self.forms: dict[str, Learned] = {}
        """What is known of the ids of each link's operator; links of one operator share it."""
        self._known_forms: dict[int, IdForm] = {}

    def named(self, name: str) -> KnownLink:
        """Return a registered link. Raises UnknownLink."""
        try:
            return self._known[name]
        except KeyError:
            raise UnknownLink(
                f"there is no link {name!r} in these settings; every process of an installation needs the same links"
            ) from None

    def register(self, connection: Connection, batches: Sequence[Sequence[LinkRecord]]) -> list[dict[str, int]]:
        """Keep links under stable numbers."""
        return [{record.name: self._register(connection, record) for record in batch} for batch in batches]

    def _register(self, connection: Connection, record: LinkRecord) -> int:
        connection.run("insert_operator", record.operator)
        operator = connection.number("operator_named", record.operator)
        connection.run("keep_link", record.name, operator, int(record.resubmit_uncertain))
        number = connection.number("link_named", record.name)
        known = self._known[record.name] = KnownLink(number, operator, record.resubmit_uncertain)
        self._learned(connection, known.operator, record)
        self.rules[record.name] = record.multipart_rule
        self._operators[record.name] = record.operator
        self._priorities[record.name] = record.priority
        self._claimable.clear()
        return number

    def register_routes(self, connection: Connection, batches: Sequence[Sequence[Route]]) -> list[dict[Route, int]]:
        """Keep routes under stable numbers: of one link that of the link, of several ones below zero."""
        for route in {route for batch in batches for route in batch if route.others}:
            connection.run("keep_route", route.name, self.named(route.link).id)
        # Those that were configured once are known too: what still has them is taken by the links that are left.
        self._routes = {-number: Route.named(name) for number, name in connection.rows("routes")}
        self._claimable.clear()
        numbers = {route: number for number, route in self._routes.items()}
        return [
            {route: numbers[route] if route.others else self.named(route.link).id for route in batch}
            for batch in batches
        ]

    def routes_of(self, name: str, passed_over: frozenset[str]) -> Claimable:
        """Return what a link may claim while others are passed over. Raises UnknownLink."""
        key = name, passed_over
        if key not in self._claimable:
            if len(self._claimable) > MOST_REMEMBERED:
                self._claimable.clear()
            self._claimable[key] = self._find_claimable(name, passed_over)
        return self._claimable[key]

    def _find_claimable(self, name: str, passed_over: frozenset[str]) -> Claimable:
        own = self.named(name).id
        shared = {
            number: route
            for number, route in self._routes.items()
            if name in takers(route, self._priorities, passed_over)
        }
        members = {member for route in shared.values() for member in (route.link, *route.others)} - {name}
        gone = [self._known[one].id for one in sorted(members & passed_over) if one in self._known]
        return Claimable([own, *shared], list(shared), gone)

    def hold(self, connection: Connection, links: Iterable[str]) -> None:
        """Let nobody else settle receipts of these links' operators until the transaction ends.

        What others have learned of the ids meanwhile is learned here too. Raises UnknownLink.
        """
        operators = sorted({self.named(name).operator for name in links})
        if not connection.shared:
            return
        for operator, *seen, ambiguous in connection.rows("operator_forms", operators):
            learned = next(self.forms[name] for name, one in self._known.items() if one.operator == operator)
            learned.remember(dict(zip(FORM_OF_COLUMN, seen, strict=True)), ambiguous)
            self._known_forms[operator] = learned.form

    def by_operator(self, read: Connection | None = None) -> dict[str, Learned]:
        """Return what is known of every operator's ids, by its name; as it is kept, when there is where to read it."""
        if read is not None:
            return {self._operators[name]: self._as_kept(read, name) for name in self.forms}
        return {self._operators[name]: learned for name, learned in self.forms.items()}

    def _as_kept(self, read: Connection, name: str) -> Learned:
        *seen, ambiguous = read.row("operator_shown", self._known[name].operator)
        return Learned(self.forms[name].locked, dict(zip(FORM_OF_COLUMN, seen, strict=True)), ambiguous)

    def _learned(self, connection: Connection, operator: int, record: LinkRecord) -> None:
        """Begin with what was learned before; a locked form counts for all links of the operator."""
        shared = next(
            (
                self.forms[name]
                for name, one in self._known.items()
                if one.operator == operator and name in self.forms and name != record.name
            ),
            None,
        )
        if shared is None or record.message_id_form is not IdForm.AUTO:
            (_, *seen, ambiguous), *_ = connection.rows("operator_forms", [operator])
            shared = Learned(record.message_id_form, dict(zip(FORM_OF_COLUMN, seen, strict=True)), ambiguous)
        for name, one in self._known.items():
            if one.operator == operator:
                self.forms[name] = shared
        self._known_forms[operator] = shared.form

    def news(self) -> Iterator[tuple[int, Learned, bool]]:
        """Yield the operators of whose ids something was learned, and whether their form became known by it."""
        for name, learned in self.forms.items():
            if learned.changed:
                learned.changed = False
                operator = self._known[name].operator
                before, self._known_forms[operator] = self._known_forms[operator], learned.form
                yield operator, learned, before is IdForm.AUTO and learned.form is not IdForm.AUTO
