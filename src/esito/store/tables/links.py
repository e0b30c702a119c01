"""The links and operators that segments and receipts refer to, by number."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from esito.domain.errors import UnknownLink
from esito.domain.id_forms import IdForm, Learned
from esito.domain.states import MultipartRule
from esito.store.base import LinkRecord
from esito.store.tables.connection import Connection

FORM_OF_COLUMN = (IdForm.AS_IS, IdForm.STRIP_ZEROS, IdForm.HEX_TO_DEC, IdForm.DEC_TO_HEX)
"""The columns of `operator` that count evidence, in their order."""

UNROUTED = "(none)"
"""The name behind link number 0: recipients whom no link serves yet."""


class KnownLink(NamedTuple):
    """A link as rows refer to it."""

    id: int
    operator: int
    resubmit_uncertain: bool


class Links:
    """What the writer knows of links, kept in memory after registration."""

    def __init__(self) -> None:
        self._known: dict[str, KnownLink] = {}
        self._operators: dict[str, str] = {}
        self.rules: dict[str, MultipartRule] = {}
        self.forms: dict[str, Learned] = {}
        """What is known of the ids of each link's operator; links of one operator share it."""
        self.waits: dict[str, int] = {}
        """How long after a submission the last word of each link's operator is waited for, in milliseconds."""
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
        self.waits[record.name] = record.wait_ms
        self._operators[record.name] = record.operator
        return number

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
