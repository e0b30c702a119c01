"""The named statements as PostgreSQL reads them.

`{rows: bigint, int} AS given` stands for rows that come as one array for each column; their columns are called
column1, column2, as those of VALUES are in every engine.
"""

import re
from functools import lru_cache, partial
from typing import NamedTuple

from esito.store.postgres.columns import array
from esito.store.queries import load_migrations, load_queries

_FIRST_LINE = re.compile(r"-- (?:expands|contracts: needs (\d+))\n")
_PARAMETER = re.compile(r"\$(\d+)")
_ROWS = re.compile(r"\{rows: ([a-z, ]+)\} AS (\w+)")


def _spelled_out(found: re.Match[str]) -> str:
    types = found.group(1).split(", ")
    arrays = ", ".join(array(number, kind) for number, kind in enumerate(types, 1))
    names = ", ".join(f"column{number}" for number in range(1, len(types) + 1))
    return f"unnest({arrays}) AS {found.group(2)} ({names})"


_TEXTS = load_queries("postgres")
QUERIES = {name: _ROWS.sub(_spelled_out, text) for name, text in _TEXTS.items()}
KINDS = {name: found.group(1).split(", ") for name, text in _TEXTS.items() if (found := _ROWS.search(text))}
"""The types of the columns that a statement takes, of those that take rows."""


@lru_cache(maxsize=64)
def together(*names: str) -> str:
    """Return one statement that does what several do, each with its own parameters, one after another.

    None of them sees what the others change. A statement without rows has one parameter.
    """
    parts, before = [], 0
    for name in names:
        numbered = partial(_counted_on, before=before)
        parts.append(f"{name} AS (\n{_PARAMETER.sub(numbered, QUERIES[name])}\n)")
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


MIGRATIONS = [described(*one) for one in load_migrations("postgres")]
KNOWS = MIGRATIONS[-1].number
"""The newest migration that this release knows."""
