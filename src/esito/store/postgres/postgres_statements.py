"""How PostgreSQL reads the named statements (`store.statements`).

Rows come as one array for each column, called column1, column2, as those of VALUES are in every engine.
"""

import re
from functools import lru_cache, partial
from typing import NamedTuple

from esito.store.postgres.array_parameters import array
from esito.store.statements import Column, Dialect, load_migrations, load_statements

_FIRST_LINE = re.compile(r"-- (?:expands|contracts: needs (\d+))\n")
_PARAMETER = re.compile(r"\$(\d+)")
_HINTS = re.compile(r"CROSS (?=JOIN)| INDEXED BY \w+")


def _table(columns: tuple[Column, ...], alias: str) -> str:
    arrays = ", ".join(array(number, column.kind) for number, column in enumerate(columns, 1))
    names = ", ".join(f"column{number}" for number in range(1, len(columns) + 1))
    return f"unnest({arrays}) AS {alias} ({names})"


POSTGRES = Dialect(
    name="postgres",
    parameter="$",
    rows=_table,
    values=lambda columns: f"SELECT * FROM {_table(columns, 'given')}",  # noqa: S608  our own names
    joined="unnest(:{}::bigint[]) AS {} (value)".format,
    fragments={
        "in": "= ANY(:{}::bigint[])".format,
        "many": "{}".format,
        # The trail is partitioned by message: what belongs to none stands under 0.
        "is loose": "{} = 0".format,
        "or null": "nullif({}, 0)".format,
        "now": lambda _: "(extract(epoch FROM clock_timestamp()) * 1000)::bigint",
        "sqlite": lambda _: "",
        "postgres": "{}".format,
    },
    rewrite=lambda text: _HINTS.sub("", text),
    schema=lambda text: text,
)

STATEMENTS = load_statements(POSTGRES)
KINDS = {name: [column.kind for column in one.columns] for name, one in STATEMENTS.items() if one.columns}
"""The types of the columns that a statement takes, of those that take rows."""


@lru_cache(maxsize=64)
def together(*names: str) -> str:
    """Return one statement that does what several do, each with its own parameters, one after another.

    None of them sees what the others change. A statement without rows has one parameter.
    """
    parts, before = [], 0
    for name in names:
        numbered = partial(_counted_on, before=before)
        parts.append(f"{name} AS (\n{_PARAMETER.sub(numbered, STATEMENTS[name].text)}\n)")
        before += len(KINDS[name]) if name in KINDS else 1
    return f"WITH {', '.join(parts)} SELECT 1"


def _counted_on(found: re.Match[str], *, before: int) -> str:
    return f"${int(found.group(1)) + before}"


class Migration(NamedTuple):
    """A numbered script, and what its first line says: `-- expands`, or `-- contracts: needs 3`."""

    number: int
    needs: int
    """A release works with the schema from then on when it knows migrations up to this one; 0: any that did before."""
    script: str


def described(number: int, script: str) -> Migration:
    """Read a migration's first line. Raises ValueError."""
    said = _FIRST_LINE.match(script)
    if said is None:
        raise ValueError(f"migration {number} does not say in its first line whether it expands or contracts")
    return Migration(number, int(said.group(1) or 0), script)


MIGRATIONS = [described(*one) for one in load_migrations(POSTGRES)]
KNOWS = MIGRATIONS[-1].number
"""The newest migration that this release knows."""
