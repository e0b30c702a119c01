"""A store of each kind that there is, empty and open; every suite that holds stores to promises takes one of these."""

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import lru_cache
from pathlib import Path

import pytest

from esito.store.interface.store import Store
from esito.store.postgres import PostgresStore
from esito.store.sqlite import SqliteStore
from esito.store.sqlite.sqlite_connection import SqliteConnection, migrate
from tests.kit.logged import logged
from tests.kit.postgres import drop_database, fresh_database

KINDS = ["sqlite", pytest.param("postgres", marks=pytest.mark.needs("postgres"))]
LOGGED = pytest.param("postgres+nats", marks=pytest.mark.needs("postgres", "nats"))
"""PostgreSQL, with receipts that come through JetStream."""


def store_at(url: str) -> Store:
    """Return the store that a URL of the configuration names, not yet open."""
    if url.startswith("sqlite:///"):
        return SqliteStore(Path(url.removeprefix("sqlite:///")))
    return PostgresStore(url)


@lru_cache(maxsize=1)
def _migrated() -> bytes:
    """Return the octets of an empty database: every migration is applied once, not once for each test."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "empty.db"
        connection = SqliteConnection.open(path)
        migrate(connection.bare)
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        connection.close()
        return path.read_bytes()


def empty_database(path: Path) -> Path:
    """Lay an empty SQLite database at a path; return the path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(_migrated())
    return path


@asynccontextmanager
async def a_place(kind: str, folder: Path) -> AsyncIterator[str]:
    """Have room for a store of a kind, which any process may open; `folder` is for its files."""
    if kind == "sqlite":
        yield f"sqlite:///{empty_database(folder / 'esito.db')}"
        return
    url = await fresh_database()
    try:
        yield url
    finally:
        await drop_database(url)


@asynccontextmanager
async def open_at(url: str) -> AsyncIterator[Store]:
    """Open the store at a place, and close it."""
    store = store_at(url)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


@asynccontextmanager
async def a_store(kind: str, folder: Path) -> AsyncIterator[Store]:
    """Open an empty store of a kind."""
    async with a_place(kind, folder) as url, open_at(url) as store:
        if kind == "postgres+nats":
            async with logged(store, folder) as through_the_log:
                yield through_the_log
        else:
            yield store
