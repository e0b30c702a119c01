"""The links and operators that segments and receipts refer to, by number."""

from collections.abc import Sequence
from typing import NamedTuple

import apsw

from esito.domain.states import MultipartRule
from esito.store.base import LinkRecord

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
        self.rules: dict[str, MultipartRule] = {}

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
        self._known[record.name] = KnownLink(number, int(str(operator)), record.resubmit_uncertain)
        self.rules[record.name] = record.multipart_rule
        return number
