"""The named statements as PostgreSQL reads them.

`{rows: bigint, int} AS given` stands for rows that come as one array for each column; their columns are called
column1, column2, as those of VALUES are in every engine.
"""

import re

from esito.store.queries import load_migrations, load_queries

_ROWS = re.compile(r"\{rows: ([a-z, ]+)\} AS (\w+)")


def _spelled_out(found: re.Match[str]) -> str:
    types = found.group(1).split(", ")
    arrays = ", ".join(f"${number}::{kind}[]" for number, kind in enumerate(types, 1))
    names = ", ".join(f"column{number}" for number in range(1, len(types) + 1))
    return f"unnest({arrays}) AS {found.group(2)} ({names})"


QUERIES = {name: _ROWS.sub(_spelled_out, text) for name, text in load_queries("postgres").items()}
MIGRATIONS = load_migrations("postgres")
