"""The SQLite adapter: one file, one writer thread with group commit, reads on the event loop."""

from esito.store.sqlite.adapter import SqliteStore

__all__ = ["SqliteStore"]
