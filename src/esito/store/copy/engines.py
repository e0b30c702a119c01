"""The PostgreSQL side as its adapter knows it: how it is opened, how its texts are written, what its books say.

All that the copy needs of an adapter comes in here, so that this is the one file beside `app/wiring` that names one.
"""

from collections.abc import Sequence

from esito.store.postgres import PostgresStore
from esito.store.postgres.postgres_connect import LOST, Connection, open_connection
from esito.store.postgres.postgres_connection import SETTINGS
from esito.store.postgres.text_escapes import MARK, all_fit, as_it_was, fit
from esito.store.sql_connection import SqlValue


async def connect(url: str) -> Connection:
    """Connect to whichever of the URL's hosts is the primary."""
    return await open_connection(url, SETTINGS)


async def make_schema(url: str) -> None:
    """Bring the database to the schema of this version. Raises NewerSchema, UnsafeEngine, StoreUnavailable."""
    store = PostgresStore(url)
    try:
        await store.open()
    finally:
        await store.close()


async def complaints(url: str) -> list[str]:
    """Return what does not add up in the database's books."""
    store = PostgresStore(url)
    await store.open()
    try:
        return [sentence async for sentence in store.check()]
    finally:
        await store.close()


def written(rows: Sequence[Sequence[SqlValue]]) -> Sequence[Sequence[SqlValue]]:
    """Return rows as PostgreSQL takes them."""
    if all_fit("".join(value for row in rows for value in row if isinstance(value, str))):
        return rows
    return [tuple(fit(value) if isinstance(value, str) else value for value in row) for row in rows]


def read(rows: Sequence[Sequence[SqlValue]]) -> list[tuple[SqlValue, ...]]:
    """Return rows as they were before they were written."""
    if not any(isinstance(value, str) and MARK in value for row in rows for value in row):
        return [tuple(row) for row in rows]
    return [tuple(as_it_was(value) if isinstance(value, str) else value for value in row) for row in rows]


__all__ = ["LOST", "Connection", "complaints", "connect", "make_schema", "read", "written"]
