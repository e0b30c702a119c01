"""Many rows for one statement: an array for each column, in PostgreSQL's own way of writing arrays.

Given lists, the driver asks of every element whether it is a list itself, and that takes longer than all the rest.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

from esito.store.postgres.text_escapes import all_fit, fit
from esito.store.sql_connection import SqlValue

Column = tuple[Any, ...]


def columns(rows: Iterable[Sequence[SqlValue]], kinds: Sequence[str]) -> list[Any]:
    """Turn rows into columns of these types of PostgreSQL; no columns where there are no rows."""
    turned = list(zip(*rows, strict=True))
    return [WRITTEN[kind](column) for kind, column in zip(kinds, turned, strict=True)] if turned else []


def _numbers(column: Column) -> str:
    # What stands for a number elsewhere, as True and the members of an enumeration, is written as one.
    try:
        written = ",".join(map(int.__repr__, column))
    except TypeError:  # one of them is nothing
        written = ",".join(["NULL" if value is None else int.__repr__(value) for value in column])
    return f"{{{written}}}"


def _texts(column: Column) -> str:
    try:
        joined = '","'.join(column)
    except TypeError:  # one of them is nothing
        return _each(column)
    if "\\" in joined or joined.count('"') != 2 * (len(column) - 1) or not all_fit(joined):
        return _each(column)
    return f'{{"{joined}"}}'


def _each(texts: Column) -> str:
    return f"{{{','.join(map(_quoted, texts))}}}"


def _quoted(text: str | None) -> str:
    if text is None:
        return "NULL"
    escaped = fit(text).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


WRITTEN: dict[str, Callable[[Column], Any]] = {
    "bigint": _numbers,
    "int": _numbers,
    "smallint": _numbers,
    "text": _texts,
    "bytea": list,  # the driver writes it as it is; as text it would take twice the room
}
"""How a column of each type is given to the driver."""


def array(number: int, kind: str) -> str:
    """Return the SQL for the array that parameter `number` brings."""
    return f"${number}::{kind}[]" if WRITTEN[kind] is list else f"${number}::text::{kind}[]"


class CopyFormat(NamedTuple):
    """Where rows go."""

    table: str
    columns: tuple[str, ...]
    texts: tuple[int, ...]
    """Which columns are texts, counted from 0; none of them is ever null."""
    zero: int
    """The column in which nothing is written as 0."""


COPIED = {
    "insert_trail": CopyFormat(
        "trail",
        ("id", "received_at", "link", "message_id", "seq", "part", "verdict", "smsc_id", "state", "stat", "error",
         "done_at", "flags", "origin", "raw", "checksum"),
        texts=(6, 7, 9, 10, 12),
        zero=3,
    ),
}  # fmt: skip
