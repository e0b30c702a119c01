"""The SQLite adapter: one file, one writer thread with group commit, reads on the event loop."""

from collections.abc import Callable
from pathlib import Path

from esito.store.sql_store.adapter import SqlStore
from esito.store.sqlite.sqlite_engine import SqliteEngine, stop_at_once


class SqliteStore(SqlStore):
    """A `Store` in one SQLite file."""

    def __init__(
        self, path: Path, *, failed: Callable[[Exception], None] = stop_at_once, actor: str = "server"
    ) -> None:
        """`failed` is told, from the writer thread, of a commit whose end is unknown; `actor` is who administers."""
        self.engine = SqliteEngine(path, failed=failed)
        super().__init__(self.engine, actor=actor)


__all__ = ["SqliteStore"]
