"""How a SQLite connection is opened, migrated, and asked by name.

A statement that brings many rows binds them all at once, so that the engine works
through them in one step without holding Python's interpreter lock.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice, repeat
from pathlib import Path
from types import GenericAlias
from typing import Any

import apsw
import msgspec
import structlog

from esito.domain.errors import NewerSchema, StoreUnavailable, UnsafeEngine
from esito.private_files import make_private
from esito.store.sql_connection import Json, Parameter, Row, SqlValue, Step
from esito.store.sqlite.spelling import ROWS, SQLITE
from esito.store.statements import load_migrations, load_statements

log = structlog.get_logger()

STATEMENTS = load_statements(SQLITE)
MIGRATIONS = load_migrations(SQLITE)

FIRST_SAFE_ENGINE = (3, 51, 3)
"""Releases 3.7.0 to 3.51.2 can lose commits when two connections write or checkpoint at once."""

BUSY_MS = 30_000
"""How long a write waits for another process that writes; reads never wait."""

WRITING_KB = 16_384
READING_KB = 2_000
"""Pages kept beside the kernel's copy. Every commit of the writer empties those of a reader, and what the processor's
own cache holds is read faster than a larger one."""

_CHUNKS = (200, 50, 10, 1)
"""Row counts that have a prepared statement; 200 rows of 15 columns stay far below SQLite's limit."""


def require_safe_engine(version: str) -> None:
    """Raise UnsafeEngine for a SQLite release that can lose commits."""
    if tuple(int(piece) for piece in version.split(".")) < FIRST_SAFE_ENGINE:
        raise UnsafeEngine(f"SQLite {version} can lose commits; 3.51.3 or later is needed")


def connect(path: Path, *, read_only: bool = False) -> apsw.Connection:
    """Open the file with the settings that durability rests on. Raises StoreUnavailable."""
    flags = apsw.SQLITE_OPEN_READONLY if read_only else apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_CREATE
    try:
        if not read_only:
            make_private(path)
        connection = apsw.Connection(str(path), flags=flags, statementcachesize=200)
        connection.set_busy_timeout(BUSY_MS)
        # Else the engine plans a statement anew for each value that it is given; ours have one plan for all.
        connection.config(apsw.SQLITE_DBCONFIG_ENABLE_QPSG, 1)
        connection.execute(f"PRAGMA cache_size = -{READING_KB if read_only else WRITING_KB}")
        if not read_only:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA wal_autocheckpoint = 4000")
    except (apsw.Error, OSError) as error:
        raise StoreUnavailable(f"cannot open {path}: {error}") from error
    return connection


def migrate(connection: apsw.Connection, migrations: Sequence[tuple[int, str]] = MIGRATIONS) -> int:
    """Apply the migrations this file lacks, each in its own transaction; return how many.

    Raises NewerSchema, and StoreUnavailable for a file that is locked or full, or another program's.
    """
    newest = migrations[-1][0]
    done = 0
    for number, script in migrations:
        try:
            with _transaction(connection):
                version = int(str(connection.execute("PRAGMA user_version").get))
                if version > newest:
                    raise NewerSchema(f"the database has schema {version}, this release knows up to {newest}")
                if version < number:
                    connection.execute(script)
                    connection.execute(f"PRAGMA user_version = {number}")
                    done += 1
        except apsw.Error as error:
            raise StoreUnavailable(f"cannot migrate {connection.filename}: {error}") from error
    _forget_statistics(connection)
    return done


def _forget_statistics(connection: apsw.Connection) -> None:
    """Remove what ANALYZE has counted, if anybody ever said it.

    Our statements are made for the indexes they have. Where most of a table was one account's on that day, the engine
    would read all of it for every other account.
    """
    try:
        if connection.execute("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_stat1'").get is None:
            return
        with _transaction(connection):
            connection.execute("DROP TABLE sqlite_stat1; DROP TABLE IF EXISTS sqlite_stat4")
        connection.execute("ANALYZE sqlite_schema")  # this connection has read them: read again that there are none
    except apsw.Error as error:
        log.warning("statistics_stay", file=str(connection.filename), reason=str(error))


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


class SqliteConnection:
    """One connection to the file; for the writer's thread, the event loop, or a scan aside."""

    shared = False
    """Whoever else writes to the file, only one process settles what operators say."""

    indexed_by_number = False

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    @classmethod
    def open(cls, path: Path, *, read_only: bool = False) -> "SqliteConnection":
        """Open the file. Raises StoreUnavailable."""
        return cls(connect(path, read_only=read_only))

    def close(self) -> None:
        """Close it."""
        self._connection.close()

    @property
    def bare(self) -> apsw.Connection:
        """The engine's own connection."""
        return self._connection

    def execute(self, sql: str, parameters: Sequence[SqlValue] = ()) -> apsw.Cursor:
        """Run SQL that is not one of the named statements."""
        return self._connection.execute(sql, parameters)

    # -- by name ------------------------------------------------------------------------------

    def _do(self, name: str, parameters: Mapping[str, Parameter]) -> apsw.Cursor:
        statement = STATEMENTS[name]
        given = statement.in_order(parameters)
        for one in given:
            if not isinstance(one, _PLAIN):
                return self._connection.execute(statement.text, [_plain(one) for one in given])
        return self._connection.execute(statement.text, given)

    def run(self, name: str, /, **parameters: Parameter) -> int:
        """Change something; return how many rows."""
        self._do(name, parameters).fetchall()
        return self._connection.changes()

    def rows(self, name: str, row: type[Row], /, **parameters: Parameter) -> list[Row]:
        """Return every row of the answer."""
        return self.answer(name, row, parameters)

    def answer(self, name: str, row: type[Row], parameters: Mapping[str, Parameter]) -> list[Row]:
        """Return every row of the answer to a question whose parameters are at hand."""
        cursor = self._do(name, parameters)
        if STATEMENTS[name].many:
            return _records(row, _decoded(cursor.get))
        return _records(row, cursor.fetchall())

    def row(self, name: str, row: type[Row], /, **parameters: Parameter) -> Row | None:
        """Return the first row of the answer."""
        found = self._do(name, parameters).fetchone()
        return None if found is None else _records(row, [found])[0]

    def _value(self, name: str, parameters: Mapping[str, Parameter]) -> SqlValue:
        row = self._do(name, parameters).fetchone()
        return None if row is None else row[0]

    def number(self, name: str, /, **parameters: Parameter) -> int:
        """Return the one number that a question has for an answer."""
        return int(self._value(name, parameters) or 0)

    def numbers(self, name: str, /, **parameters: Parameter) -> list[int]:
        """Return the numbers of an answer that has one column."""
        return [number for (number,) in self.rows(name, tuple[int], **parameters)]

    def text(self, name: str, /, **parameters: Parameter) -> str | None:
        """Return the one text that a question has for an answer."""
        value = self._value(name, parameters)
        return None if value is None else str(value)

    def rows_for(self, name: str, row: type[Row], given: Iterable[Sequence[SqlValue]], /) -> list[Row]:
        """Ask a question about all the rows given, a few hundred at a time."""
        answers: list[Row] = []
        for statement, parameters in _chunked(name, given):
            answers += _records(row, _decoded(self._connection.execute(statement, parameters).get))
        return answers

    def run_rows(self, name: str, given: Iterable[Sequence[SqlValue]], /) -> int:
        """Run a statement for all the rows given, a few hundred at a time; return how many it changed."""
        changed = 0
        for statement, parameters in _chunked(name, given):
            self._connection.execute(statement, parameters)
            changed += self._connection.changes()
        return changed

    def run_together(self, steps: Sequence[Step]) -> None:
        """Run one after another: there is no way to go."""
        for name, given in steps:
            if isinstance(given, Json):
                self._connection.execute(STATEMENTS[name].text, [_plain(given)])
            else:
                self.run_rows(name, given)

    def stream(self, name: str, row: type[Row], /, **parameters: Parameter) -> Iterator[Row]:
        """Yield the rows of a long answer."""
        make: Callable[[Any], Row] = getattr(row, "_make", row)
        yield from map(make, self._do(name, parameters))

    def ids(self, table: str, count: int) -> Sequence[int]:
        """Return the numbers that follow the last one."""
        first = int(str(self._connection.execute(f"SELECT coalesce(max(id), 0) + 1 FROM {table}").get))  # noqa: S608  our own names
        return range(first, first + count)

    def newest(self, table: str) -> int:
        """Return the number of the last row: those that write are one after the other."""
        return int(str(self._connection.execute(f"SELECT coalesce(max(id), 0) FROM {table}").get))  # noqa: S608  our own names

    @property
    def changed(self) -> int:
        """How many rows were changed since this was opened."""
        return self._connection.total_changes()

    def hold(self, what: str) -> None:
        """Nothing: one transaction writes at a time."""

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """See one state of the file within the block."""
        self._connection.execute("BEGIN")
        try:
            yield
        finally:
            self._connection.execute("COMMIT")

    @contextmanager
    def without_trace(self) -> Iterator[None]:
        """Have what is removed in the block overwritten: it shall not be found in free pages."""
        self._connection.execute("PRAGMA secure_delete = ON").fetchall()
        try:
            yield
        finally:
            self._connection.execute("PRAGMA secure_delete = OFF").fetchall()

    # -- transactions -------------------------------------------------------------------------

    def begin(self, *, alone: bool) -> None:  # noqa: ARG002  one writer is alone anyway
        """Open a transaction."""
        self._connection.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """Make it durable."""
        self._connection.execute("COMMIT")

    def rollback(self) -> None:
        """Undo what is open; a full disk has ended the transaction by itself."""
        if self._connection.in_transaction:
            self._connection.execute("ROLLBACK")

    def savepoint(self) -> None:
        """Remember this point."""
        self._connection.execute("SAVEPOINT work")

    def release_savepoint(self) -> None:
        """Go on without the point."""
        self._connection.execute("RELEASE work")

    def rollback_to_savepoint(self) -> None:
        """Undo what was done since."""
        self._connection.execute("ROLLBACK TO work")

    def is_engine_failure(self, error: Exception) -> bool:
        """Tell whether the file itself failed us."""
        return isinstance(
            error, apsw.IOError | apsw.FullError | apsw.BusyError | apsw.CorruptError | apsw.ReadOnlyError
        )

    def outcome_unknown(self, error: Exception) -> bool:
        """Tell whether a read or write of the disk failed: it may hold the commit or not."""
        return isinstance(error, apsw.IOError)

    def is_retryable(self, error: Exception) -> bool:  # noqa: ARG002  nobody gets in the way of the only writer
        """Nothing is worth doing over at once."""
        return False


_PLAIN = (int, str, bytes, float, type(None))


def _plain(parameter: Parameter) -> SqlValue:
    if isinstance(parameter, Json):
        return msgspec.json.encode(parameter.content).decode()
    if isinstance(parameter, _PLAIN):
        return parameter
    return msgspec.json.encode(list(parameter)).decode()


_rows_of = msgspec.json.Decoder(list[tuple[Any, ...]]).decode


def _decoded(answer: Any) -> list[Any]:
    """Read the one JSON array that is the answer to a question that may have a long one."""
    return _rows_of(answer)


def _records(row: type[Row], found: list[Any]) -> list[Row]:
    """Return tuples as the records that are wanted; the tuples themselves, where a plain one is."""
    if isinstance(row, GenericAlias) or not found:  # tuple[int, str]
        return found
    fields = getattr(row, "_fields", None)
    if fields is None:
        return found
    if len(fields) != len(found[0]):
        raise TypeError(f"{row.__name__} has {len(fields)} fields, the answer {len(found[0])} columns")
    return list(map(_new, repeat(row), found))


_new: Callable[[type[Row], Any], Row] = tuple.__new__
"""Makes a record in half the time that its class takes."""


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
        statement = _statements[key] = STATEMENTS[name].text.replace(ROWS, ",".join([row] * rows))
    return statement
