"""Reads the named statements of `store/sql`: one text for both engines, with parameters by name.

`-- name: what_it_is` opens a statement; the next name ends it. Files directly in `sql` hold for both engines; those in
`sql/sqlite` and `sql/postgres` hold what the one says in its own words, under the same names. In a shared text

    :name                           is a parameter
    {in: ids}, {each: ids} AS j     are a list of integers, to compare with and to join as j.value
    {rows: id bigint, at int} AS a  are rows that the caller brings, to join as a.id and a.at
    {values: id bigint, at int}     are such rows for INSERT, or for IN (...)
    {many: a, b}                    is the list of columns of an answer that may be long
    {is loose: t.message_id}        tells whether a row of the trail belongs to no message
    {or null: t.message_id}         is its message, NULL for none
    {SegmentPhase.LATER}            is the number of a member of an enumeration (CONSTANTS)
    {now}                           is the time of the database in milliseconds since 1970
    {sqlite: x}, {postgres: x}      are for the one engine alone

and CROSS JOIN ... ON and INDEXED BY, which lead SQLite's planner, are taken out for PostgreSQL.
"""

import re
from collections.abc import Callable, Mapping
from enum import IntEnum
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import NamedTuple, TypeVar

from esito.domain.callback import CallbackPhase
from esito.domain.decisions import Waits
from esito.domain.evidence import SegmentPhase
from esito.domain.reply import ReplyPhase

_NAME = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)
_COMMENT = re.compile(r"^\s*--.*\n?| -- .*$", re.MULTILINE)
_FRAGMENT = re.compile(r"\{([a-z ]+)(?:: ([^{}]*))?\}")
_ROWS = re.compile(r"\{(rows|values): ([^{}]*)\}(?: AS (\w+))?")
_JOINED = re.compile(r"\{each: (\w+)\} AS (\w+)")
_PARAMETER = re.compile(r"(?<![:\w]):([a-z]\w*)")

_CONSTANT = re.compile(r"\{(\w+)\.([A-Z_]+)\}")

CONSTANTS: dict[str, type[IntEnum]] = {one.__name__: one for one in (SegmentPhase, CallbackPhase, ReplyPhase, Waits)}
"""What a statement may name by its members. Migrations have numbers: what was stored does not change with the code."""

Given = TypeVar("Given")


class Column(NamedTuple):
    """A column of the rows that a statement takes, with its type in PostgreSQL."""

    name: str
    kind: str


class Statement(NamedTuple):
    """A statement as one engine reads it."""

    text: str
    parameters: tuple[str, ...]
    """Their names, in the order of their numbers."""
    columns: tuple[Column, ...]
    """Of the rows it takes; a statement that takes rows has no other parameters."""
    many: bool
    """Whether its answer may be long."""

    def in_order(self, parameters: Mapping[str, Given]) -> list[Given]:
        """Return parameters in the order of their numbers. Raises TypeError for others than the statement has."""
        try:
            given = [parameters[name] for name in self.parameters]
        except KeyError as missing:
            raise TypeError(f"the parameter {missing} is missing") from None
        if len(given) != len(parameters):
            raise TypeError(f"no such parameters: {', '.join(sorted(set(parameters) - set(self.parameters)))}")
        return given


class Dialect(NamedTuple):
    """How an engine spells what the shared texts leave open."""

    name: str
    parameter: str
    """What stands before the number of a parameter."""
    rows: Callable[[tuple[Column, ...], str], str]
    """The rows of a caller as a table of column1, column2 ... with this alias."""
    values: Callable[[tuple[Column, ...]], str]
    joined: Callable[[str, str], str]
    """A list of integers, by its parameter, as a table with this alias and the column `value`."""
    fragments: Mapping[str, Callable[[str], str]]
    """What becomes of `{fragment: argument}`."""
    rewrite: Callable[[str], str]
    """What else is done to a statement that both engines share."""
    schema: Callable[[str], str]
    """What is done to a migration."""


def load_statements(dialect: Dialect) -> dict[str, Statement]:
    """Return the statements of an engine by name. Raises ValueError for a name that stands twice."""
    folder = files("esito.store").joinpath("sql")
    found = {name: rendered(dialect, dialect.rewrite(body)) for name, body in _texts(folder)}
    for name, body in _texts(folder.joinpath(dialect.name)):
        if name in found:
            raise ValueError(f"{name} is both a shared statement and one of {dialect.name}")
        found[name] = rendered(dialect, body)
    return found


def _texts(folder: Traversable) -> list[tuple[str, str]]:
    texts: dict[str, str] = {}
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if not entry.name.endswith(".sql"):
            continue
        pieces = _NAME.split(entry.read_text(encoding="utf-8"))
        for name, body in zip(pieces[1::2], pieces[2::2], strict=True):
            if name in texts:
                raise ValueError(f"two statements are named {name}")
            texts[name] = _COMMENT.sub("", body).strip()
    return list(texts.items())


def rendered(dialect: Dialect, text: str) -> Statement:
    """Return a text as an engine reads it. Raises ValueError for a fragment or a constant that is not known."""
    text = _CONSTANT.sub(_number, text)
    columns: tuple[Column, ...] = ()
    rows = _ROWS.search(text)
    if rows:
        columns = tuple(Column(*one.split(" ")) for one in rows[2].split(", "))
        if rows[1] == "values":
            text = text.replace(rows[0], dialect.values(columns))
        else:
            text = text.replace(rows[0], dialect.rows(columns, rows[3]))
            for number, column in enumerate(columns, 1):
                text = re.sub(rf"\b{rows[3]}\.{column.name}\b", f"{rows[3]}.column{number}", text)
    text = _JOINED.sub(lambda found: dialect.joined(found[1], found[2]), text)
    many = "{many: " in text
    text = _spelled(dialect, text)
    parameters = tuple(dict.fromkeys(_PARAMETER.findall(text)))
    text = _PARAMETER.sub(lambda found: f"{dialect.parameter}{parameters.index(found[1]) + 1}", text)
    return Statement(text, parameters, columns, many)


def _number(found: re.Match[str]) -> str:
    if found[1] not in CONSTANTS or found[2] not in CONSTANTS[found[1]].__members__:
        raise ValueError(f"nothing is called {found[1]}.{found[2]}")
    return str(CONSTANTS[found[1]][found[2]].value)


def _spelled(dialect: Dialect, text: str) -> str:
    """Return a text with the engine's own words for its fragments. Raises ValueError for one that it does not know."""
    while (fragment := _FRAGMENT.search(text)) is not None:
        spelled = dialect.fragments.get(fragment[1])
        if spelled is None:
            raise ValueError(f"{dialect.name} knows no {fragment[0]}")
        text = text[: fragment.start()] + spelled(fragment[2] or "") + text[fragment.end() :]
    return text


def load_migrations(dialect: Dialect) -> list[tuple[int, str]]:
    """Return the numbered migrations of an engine, in order: `0001_start.sql` is number 1.

    A migration is what both engines share (`sql/schema`), followed by what the one adds to it (`sql/schema/<engine>`).
    """
    folder = files("esito.store").joinpath("sql", "schema")
    found: dict[int, str] = {}
    for place in (folder, folder.joinpath(dialect.name)):
        for entry in sorted(place.iterdir(), key=lambda entry: entry.name):
            if re.fullmatch(r"\d{4}_\w+\.sql", entry.name):
                number = int(entry.name[:4])
                script = dialect.schema(_spelled(dialect, entry.read_text(encoding="utf-8")))
                found[number] = found.get(number, "") + script
    return sorted(found.items())
