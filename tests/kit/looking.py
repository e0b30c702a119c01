"""Looks into a store's tables, and alters them as no caller of it could; the SQL must suit every engine."""

from collections.abc import Sequence
from typing import Any

import asyncpg

from esito.store.interface.store import Store
from esito.store.postgres import PostgresStore
from esito.store.sql_connection import Connection
from esito.store.sqlite import SqliteStore
from esito.store.sqlite.sqlite_connection import SqliteConnection
from tests.kit.logged import Logged


async def rows(store: Store, sql: str) -> list[tuple[Any, ...]]:
    """Ask for what is committed."""
    if isinstance(store, SqliteStore):
        return store.engine.reader.execute(sql).fetchall()
    store = store.inner if isinstance(store, Logged) else store
    assert isinstance(store, PostgresStore)
    connection = await asyncpg.connect(store.engine.url)
    try:
        return [tuple(row) for row in await connection.fetch(sql)]
    finally:
        await connection.close()


async def change(store: Store, sql: str) -> None:
    """Change something in a transaction of its own."""
    if isinstance(store, SqliteStore):
        await store.engine.do(_execute, sql)
        return
    store = store.inner if isinstance(store, Logged) else store
    assert isinstance(store, PostgresStore)
    connection = await asyncpg.connect(store.engine.url)
    try:
        await connection.execute(sql)
    finally:
        await connection.close()


def _execute(connection: Connection, statements: Sequence[str]) -> list[None]:
    assert isinstance(connection, SqliteConnection)
    for sql in statements:
        connection.execute(sql).fetchall()
    return [None] * len(statements)
