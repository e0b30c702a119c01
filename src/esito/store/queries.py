"""Reads files of named SQL: `-- name: what_it_is` opens a statement, the next name ends it."""

import re
from importlib.resources import files

_NAME = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)


def load_queries(dialect: str) -> dict[str, str]:
    """Return the statements of `sql/<dialect>/queries*.sql` by name."""
    found: dict[str, str] = {}
    folder = files("esito.store").joinpath("sql", dialect)
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if not re.fullmatch(r"queries\w*\.sql", entry.name):
            continue
        pieces = _NAME.split(entry.read_text(encoding="utf-8"))
        for name, body in zip(pieces[1::2], pieces[2::2], strict=True):
            if name in found:
                raise ValueError(f"two statements of {dialect} are named {name}")
            found[name] = body.strip()
    return found


def load_migrations(dialect: str) -> list[tuple[int, str]]:
    """Return the numbered migrations of a dialect, in order: `0001_start.sql` is number 1."""
    folder = files("esito.store").joinpath("sql", dialect)
    found = [
        (int(entry.name[:4]), entry.read_text(encoding="utf-8"))
        for entry in folder.iterdir()
        if re.fullmatch(r"\d{4}_\w+\.sql", entry.name)
    ]
    return sorted(found)
