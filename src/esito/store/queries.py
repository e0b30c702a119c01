"""Reads files of named SQL: `-- name: what_it_is` opens a statement, the next name ends it."""

import re
from importlib.resources import files

_NAME = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


def load_queries(dialect: str) -> dict[str, str]:
    """Return the statements of `sql/<dialect>/queries.sql` by name."""
    text = files("esito.store").joinpath("sql", dialect, "queries.sql").read_text(encoding="utf-8")
    pieces = _NAME.split(text)
    return {name: body.strip() for name, body in zip(pieces[1::2], pieces[2::2], strict=True)}


def load_migrations(dialect: str) -> list[tuple[int, str]]:
    """Return the numbered migrations of a dialect, in order: `0001_start.sql` is number 1."""
    folder = files("esito.store").joinpath("sql", dialect)
    found = [
        (int(entry.name[:4]), entry.read_text(encoding="utf-8"))
        for entry in folder.iterdir()
        if re.fullmatch(r"\d{4}_\w+\.sql", entry.name)
    ]
    return sorted(found)
