"""A store of each kind that there is, empty and open; every suite that holds stores to promises takes one of these."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from esito.store.base import Store
from esito.store.postgres import PostgresStore
from esito.store.sqlite import SqliteStore
from tests.kit.postgres import drop_database, fresh_database

KINDS = ["sqlite", pytest.param("postgres", marks=pytest.mark.needs("postgres"))]


@asynccontextmanager
async def a_store(kind: str, folder: Path) -> AsyncIterator[Store]:
    """Open an empty store of a kind; `folder` is for its files."""
    if kind == "sqlite":
        store: Store = SqliteStore(folder / "esito.db")
        await store.open()
        try:
            yield store
        finally:
            await store.close()
        return
    url = await fresh_database()
    store = PostgresStore(url)
    await store.open()
    try:
        yield store
    finally:
        await store.close()
        await drop_database(url)
