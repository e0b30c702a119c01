"""Holds the writer of a SQLite store, so that what is handed over meanwhile shares the next commit."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from esito.store.sql_connection import Connection, perform
from esito.store.sqlite import SqliteStore
from tests.kit.patience import PATIENCE, in_time


@asynccontextmanager
async def held(store: SqliteStore) -> AsyncIterator[None]:
    """Keep the writer within one transaction until the block ends."""
    loop = asyncio.get_running_loop()
    begun, released = asyncio.Event(), threading.Event()

    def wait(_: Connection) -> None:
        loop.call_soon_threadsafe(begun.set)
        released.wait(PATIENCE)

    busy = asyncio.ensure_future(store._engine.do(perform, wait))
    try:
        async with in_time():
            await begun.wait()
        yield
    finally:
        released.set()
        await busy
