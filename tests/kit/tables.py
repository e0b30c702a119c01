"""The tables of a running server's store, read beside it."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol, TypeVar

from esito.store.postgres.postgres_connection import PostgresConnection
from esito.store.sqlite.sqlite_connection import SqliteConnection, connect
from esito.store.transactions.books import read_books

_Result = TypeVar("_Result")


class Tables(Protocol):
    """What evidence is read from."""

    def rows(self, sql: str, parameters: tuple[Any, ...] = ()) -> list[Any]:
        """Ask; parameters are written `?1`, `?2`."""

    def complaints(self) -> list[str]:
        """Return what `esito check` would say of the books."""

    def hold_writes(self) -> Callable[[], None]:
        """Keep everybody else from writing, until what is returned is called."""

    def close(self) -> None:
        """Let go."""


class SqliteTables:
    """Those of a file, through a connection of its own for every question."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def rows(self, sql: str, parameters: tuple[Any, ...] = ()) -> list[Any]:
        with closing(connect(self._path, read_only=True)) as connection:
            return connection.execute(sql, parameters).fetchall()

    def complaints(self) -> list[str]:
        with closing(connect(self._path, read_only=True)) as connection:
            return list(read_books(SqliteConnection(connection)))

    def hold_writes(self) -> Callable[[], None]:
        connection = connect(self._path)
        connection.execute("BEGIN IMMEDIATE")

        def let_go() -> None:
            connection.execute("ROLLBACK")
            connection.close()

        return let_go

    def close(self) -> None:
        pass


class PostgresTables:
    """Those of a database; the driver's loop turns in a thread of its own."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="evidence")
        self._connection = PostgresConnection(url, aside=True)

    def _do(self, what: Callable[[PostgresConnection], _Result]) -> _Result:
        return self._thread.submit(what, self._connection).result()

    def rows(self, sql: str, parameters: tuple[Any, ...] = ()) -> list[Any]:
        numbered = re.sub(r"\?(\d)", r"$\1", sql)
        return self._do(
            lambda connection: [tuple(row) for row in connection.wait(connection.bare.fetch(numbered, *parameters))]
        )

    def complaints(self) -> list[str]:
        return self._do(lambda connection: list(read_books(connection)))

    def hold_writes(self) -> Callable[[], None]:
        holder = PostgresTables(self._url)
        holder.rows("SELECT pg_advisory_lock(hashtext('esito writing'))::text")
        return holder.close

    def close(self) -> None:
        self._do(PostgresConnection.close)
        self._thread.shutdown()


def tables_at(url: str) -> Tables:
    """Return the tables of the store that a URL names."""
    if url.startswith("sqlite:///"):
        return SqliteTables(Path(url.removeprefix("sqlite:///")))
    return PostgresTables(url)
