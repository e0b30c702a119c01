"""The links and operators that segments and receipts refer to, by number."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import apsw

from esito.domain.id_forms import IdForm, Learned
from esito.domain.states import MultipartRule
from esito.store.base import LinkRecord

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
        self._known_forms: dict[int, IdForm] = {}

    def named(self, name: str) -> KnownLink:
        """Return a registered link."""
        return self._known[name]

    def register(self, connection: apsw.Connection, batches: Sequence[Sequence[LinkRecord]]) -> list[dict[str, int]]:
        """Keep links under stable numbers."""
        return [{record.name: self._register(connection, record) for record in batch} for batch in batches]

    def _register(self, connection: apsw.Connection, record: LinkRecord) -> int:
        connection.execute("INSERT INTO operator (name) VALUES (?) ON CONFLICT DO NOTHING", (record.operator,))
        operator = connection.execute("SELECT id FROM operator WHERE name = ?", (record.operator,)).get
        connection.execute(
            "INSERT INTO link (name, operator, resubmit_uncertain) VALUES (?1, ?2, ?3)"
            " ON CONFLICT (name) DO UPDATE SET operator = ?2, resubmit_uncertain = ?3",
            (record.name, operator, record.resubmit_uncertain),
        )
        number = int(str(connection.execute("SELECT id FROM link WHERE name = ?", (record.name,)).get))
        known = self._known[record.name] = KnownLink(number, int(str(operator)), record.resubmit_uncertain)
        self._learned(connection, known.operator, record)
        self.rules[record.name] = record.multipart_rule
        self._operators[record.name] = record.operator
        return number

    def by_operator(self) -> dict[str, Learned]:
        """Return what is known of every operator's ids, by its name."""
        return {self._operators[name]: learned for name, learned in self.forms.items()}

    def _learned(self, connection: apsw.Connection, operator: int, record: LinkRecord) -> None:
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
            row = connection.execute(
                "SELECT as_is, strip_zeros, hex_to_dec, dec_to_hex, ambiguous FROM operator WHERE id = ?", (operator,)
            ).fetchone()
            *seen, ambiguous = (int(str(count)) for count in row or (0,) * 5)
            evidence = dict(zip(FORM_OF_COLUMN, seen, strict=True))
            shared = Learned(record.message_id_form, evidence, ambiguous)
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
