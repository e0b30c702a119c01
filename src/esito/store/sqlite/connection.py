"""How a SQLite connection is opened, migrated, and asked by name.

A statement that brings many rows binds them all at once, so that the engine works
through them in one step without holding Python's interpreter lock.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

import apsw
import msgspec

from esito.domain.errors import NewerSchema, StoreUnavailable, UnsafeEngine
from esito.store.queries import load_migrations, load_queries

QUERIES = load_queries("sqlite")
MIGRATIONS = load_migrations("sqlite")

FIRST_SAFE_ENGINE = (3, 51, 3)
"""Releases 3.7.0 to 3.51.2 can lose commits when two connections write or checkpoint at once."""

BUSY_MS = 30_000
"""How long a write waits for another process that writes; reads never wait."""

_CHUNKS = (200, 50, 10, 1)
"""Row counts that have a prepared statement; 200 rows of 15 columns stay far below SQLite's limit."""

SqlValue = None | int | float | str | bytes
"""What a column may hold."""


def require_safe_engine(version: str) -> None:
    """Raise UnsafeEngine for a SQLite release that can lose commits."""
    if tuple(int(piece) for piece in version.split(".")) < FIRST_SAFE_ENGINE:
        raise UnsafeEngine(f"SQLite {version} can lose commits; 3.51.3 or later is needed")


def connect(path: Path, *, read_only: bool = False) -> apsw.Connection:
    """Open the file with the settings that durability rests on. Raises StoreUnavailable."""
    flags = apsw.SQLITE_OPEN_READONLY if read_only else apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
    try:
        connection = apsw.Connection(str(path), flags=flags, statementcachesize=200)
        connection.set_busy_timeout(BUSY_MS)
        connection.execute("PRAGMA cache_size = -16384")
        if not read_only:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA wal_autocheckpoint = 4000")
    except apsw.Error as error:
        raise StoreUnavailable(f"cannot open {path}: {error}") from error
    return connection


def migrate(connection: apsw.Connection) -> int:
    """Apply the migrations this file lacks, each in its own transaction; return how many.

    Raises NewerSchema, and StoreUnavailable for a file that is locked or full, or another program's.
    """
    newest = MIGRATIONS[-1][0]
    done = 0
    for number, script in MIGRATIONS:
        try:
            with _transaction(connection):
                version = int(value(connection, "PRAGMA user_version"))
                if version > newest:
                    raise NewerSchema(f"the database has schema {version}, this release knows up to {newest}")
                if version < number:
                    connection.execute(script)
                    connection.execute(f"PRAGMA user_version = {number}")
                    done += 1
        except apsw.Error as error:
            raise StoreUnavailable(f"cannot migrate {connection.filename}: {error}") from error
    return done


@contextmanager
def _transaction(connection: apsw.Connection) -> Iterator[None]:
    """Commit at the end of the block; an error undoes everything in it."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk ends the transaction by itself
            connection.execute("ROLLBACK")
        raise


def value(connection: apsw.Connection, sql: str, parameters: Sequence[SqlValue] = ()) -> int:
    """Return the one number that a question has for an answer."""
    found = connection.execute(sql, parameters).get
    return int(found) if isinstance(found, int | str) else 0


def run_rows(connection: apsw.Connection, name: str, rows: Iterable[Sequence[SqlValue]]) -> None:
    """Run a named statement for all the rows, a few hundred at a time."""
    for statement, parameters in _chunked(name, rows):
        connection.execute(statement, parameters)


def ask_rows(connection: apsw.Connection, name: str, rows: Iterable[Sequence[SqlValue]]) -> list[Any]:
    """Ask a named question, whose answer is one JSON array of rows, about all the rows."""
    answers: list[Any] = []
    for statement, parameters in _chunked(name, rows):
        answers += msgspec.json.decode(str(connection.execute(statement, parameters).get))
    return answers


def ask(connection: apsw.Connection, name: str, parameters: Sequence[SqlValue] = ()) -> list[Any]:
    """Ask a named question whose answer is one JSON array of rows, of the columns that it selects."""
    answer: list[Any] = msgspec.json.decode(str(connection.execute(QUERIES[name], parameters).get))
    return answer


def _chunked(name: str, rows: Iterable[Sequence[SqlValue]]) -> Iterable[tuple[str, list[SqlValue]]]:
    waiting = list(rows)
    done = 0
    while done < len(waiting):
        size = next(size for size in _CHUNKS if size <= len(waiting) - done)
        piece = list(islice(waiting, done, done + size))
        done += size
        yield _statement(name, size, len(piece[0])), [field for row in piece for field in row]


_statements: dict[tuple[str, int, int], str] = {}


def _statement(name: str, rows: int, columns: int) -> str:
    key = (name, rows, columns)
    statement = _statements.get(key)
    if statement is None:
        row = "(" + ",".join("?" * columns) + ")"
        statement = _statements[key] = QUERIES[name].replace("{rows}", ",".join([row] * rows))
    return statement
