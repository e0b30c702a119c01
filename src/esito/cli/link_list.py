"""How `esito link list` shows links: a table where it fits, two short lines a link where not, one line for a pipe."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from esito.cli.terminal import Table

TABLE_FROM = 100
"""Columns of a terminal in which a table stays readable."""


class Row(NamedTuple):
    """A link as it is shown."""

    link: str
    operator: str
    address: str
    bind: str
    prefixes: str
    id_form: str
    source: str
    """Where it comes from."""
    state: str


HEADINGS = Row("link", "operator", "address", "bind", "prefixes", "id form", "from", "state")


def for_programs(rows: Sequence[Row]) -> Iterator[str]:
    """Yield a line for each link, its columns with tabs between, whole."""
    yield from ("\t".join(row) for row in rows)


def in_short_lines(rows: Sequence[Row], *, with_source: bool) -> Iterator[str]:
    """Yield two lines for each link: how it is, and what it is for."""
    for row in rows:
        yield f"{row.link}: {row.state}, {row.bind} at {row.address}"
        operator = "" if row.operator == row.link else f"operator {row.operator}, "
        source = f", from {row.source}" if with_source else ""
        yield f"  {operator}prefixes {row.prefixes}, id form {row.id_form}{source}"


def as_table(rows: Sequence[Row], columns: int, *, with_source: bool) -> Table | None:
    """Return a table; None where a terminal of so many columns has no room for it, nothing folded."""
    cells = [
        [cell for name, cell in row._asdict().items() if with_source or name != "source"] for row in (HEADINGS, *rows)
    ]
    if columns < max(TABLE_FROM, 1 + sum(3 + max(map(len, column)) for column in zip(*cells, strict=True))):
        return None
    table = Table(*cells[0])
    for row in cells[1:]:
        table.add_row(*row)
    return table
