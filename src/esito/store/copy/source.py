"""The SQLite file that is left: locked against everybody, and read table by table."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import apsw

from esito.domain.errors import EsitoError
from esito.store.copy.canonical import Sum
from esito.store.copy.tables import BLOCK, SPAN, TABLES, Table, TableChecksum, quoted
from esito.store.sql_connection import SqlValue
from esito.store.sqlite.sqlite_connection import MIGRATIONS


class CopyRefused(EsitoError):
    """The copy cannot be made, or not go on; whatever was copied before is still there."""


class CopyDiffers(CopyRefused):
    """The copy was made, and what is read back from it is not what the source holds."""


Row = tuple[SqlValue, ...]

AT_ONCE = 20_000
"""Rows that are read, and held in memory, at a time."""

_NEWEST = MIGRATIONS[-1][0]


class Source:
    """What there is to copy; it does not change as long as this is open."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def _number(self, sql: str, *parameters: int) -> int:
        found = self._connection.execute(sql, parameters).get
        return int(found) if isinstance(found, int | str) else 0

    def require_schema(self) -> None:
        """Raise CopyRefused unless the file has the schema of this version."""
        version = self._number("PRAGMA user_version")
        if version < _NEWEST:
            raise CopyRefused(
                f"the source has schema {version}, this version has {_NEWEST}: run `esito migrate` on it first"
            )
        if version > _NEWEST:
            raise CopyRefused(
                f"the source has schema {version}, this version knows up to {_NEWEST}:"
                " copy, and run `esito migrate`, with the version that wrote it"
            )

    def batches(
        self, table: Table, after: Sequence[SqlValue] | None = None, *, size: int = AT_ONCE
    ) -> Iterator[list[Row]]:
        """Yield the rows in the order of their key, beyond a key. Raises CopyRefused."""
        conditions = [table.only] if table.only else []
        keys = ", ".join(map(quoted, table.key))
        if after is not None:
            conditions.append(f"({keys}) > ({', '.join('?' * len(table.key))})")
        where = " WHERE " + " AND ".join(conditions) if conditions else ""
        columns = ", ".join(table.derived.get(name, quoted(name)) for name in table.columns)
        sql = f"SELECT {columns} FROM {quoted(table.name)}{where} ORDER BY {keys}"  # noqa: S608  our own names
        try:
            cursor = self._connection.execute(sql, tuple(after or ()))
            while rows := list(islice(cursor, size)):
                yield rows
        except (apsw.Error, UnicodeDecodeError) as error:
            raise CopyRefused(f"the source's table {table.name} cannot be read: {error}") from error

    def extent(self, table: Table) -> TableChecksum:
        """Count and sum a table. Raises CopyRefused."""
        sum_ = Sum()
        for rows in self.batches(table):
            sum_.add(rows)
        return sum_.extent

    def spans(self) -> set[int]:
        """Return the numbers of the partitions that the message ids fall into, by a few looks at an index for each."""
        found: set[int] = set()
        for table in TABLES:
            if table.spanned:
                found |= set(self._spans_of(table.name, quoted(table.spanned)))
        return found

    def _spans_of(self, table: str, column: str) -> Iterator[int]:
        sql = f"SELECT min({column}) FROM {quoted(table)} WHERE {column} > ?"  # noqa: S608  our own names
        last = 0
        while first := self._number(sql, last):
            number = (first - 1) // SPAN
            yield number
            last = (number + 1) * SPAN

    def next_block(self) -> int:
        """Return the number of the first block of message ids of which none was ever handed out."""
        given = self._number("SELECT value FROM setting WHERE name = 'next_message_id'")
        highest = self._number("SELECT max(id) FROM message")
        return max((given - 1 + BLOCK - 1) // BLOCK, (highest - 1) // BLOCK + 1, 0)

    def last_id(self, table: str) -> int:
        """Return the highest id that the table ever gave, as far as is known; 0: none."""
        highest = self._number(f"SELECT max(id) FROM {quoted(table)}")  # noqa: S608  our own names
        # Where an id is never given twice, that holds for those of rows that were removed.
        ever = self._connection.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)).get
        return max(highest, ever if isinstance(ever, int) else 0)


@contextmanager
def locked_source(path: Path) -> Iterator[Source]:
    """Open the file for us alone. Raises CopyRefused, also while any other process has it open.

    In exclusive mode SQLite wants a lock that it gets only where nobody else has the file open, be it to read.
    """
    if not path.is_file():
        raise CopyRefused(f"there is no database at {path}")
    try:
        connection = apsw.Connection(str(path), flags=apsw.SQLITE_OPEN_READWRITE)
        try:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE").fetchall()
            connection.execute("BEGIN EXCLUSIVE")
            source = Source(connection)
            source.require_schema()
        except BaseException:
            connection.close()
            raise
    except (apsw.BusyError, apsw.LockedError) as error:
        raise CopyRefused(f"{path} is in use: stop the server, and whatever else has it open, and try again") from error
    except apsw.Error as error:
        raise CopyRefused(f"{path} cannot be opened and locked: {error}") from error
    try:
        yield source
    finally:
        connection.close()
