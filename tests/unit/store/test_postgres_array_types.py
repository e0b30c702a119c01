"""Arrays are known to a connection before it has asked the server."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from esito.store.postgres.array_types import ARRAY_TYPES
from esito.store.postgres.connection import SETTINGS
from esito.store.postgres.reaching import Connection, open_connection
from tests.kit.postgres import drop_database, fresh_database

QUESTIONS = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'WITH RECURSIVE typeinfo_tree%'"
"""How many questions for types the driver has prepared on a connection."""

pytestmark = pytest.mark.needs("postgres")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
async def url() -> AsyncIterator[str]:
    place = await fresh_database()
    yield place
    await drop_database(place)


@pytest.fixture
async def connection(url: str) -> AsyncIterator[Connection]:
    opened = await open_connection(url, SETTINGS)
    yield opened
    await opened.close()


@pytest.mark.anyio
async def test_they_are_what_the_driver_finds(url: str) -> None:
    asking = await asyncpg.connect(url)
    found, _ = await asking._introspect_types(list(ARRAY_TYPES), 10)
    await asking.close()
    assert {row["oid"]: dict(row) for row in found if row["depth"] == 0} == ARRAY_TYPES


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("kind", "values"),
    [("bigint", [1, None, 2**53]), ("int", [1, -2]), ("smallint", [3]), ("bytea", [b"\x00{,}", b""]), ("bigint", [])],
)
async def test_arrays_go_there_and_back(connection: Connection, kind: str, values: list[object]) -> None:
    assert await connection.fetchval(f"SELECT $1::{kind}[]", values) == values


@pytest.mark.anyio
async def test_the_server_is_not_asked_for_them(url: str, connection: Connection) -> None:
    asking = await asyncpg.connect(url)
    for one in (connection, asking):
        await one.fetchval("SELECT $1::bigint[]", [1])
    assert [await one.fetchval(QUESTIONS) for one in (connection, asking)] == [0, 1]
    await asking.close()


@pytest.mark.anyio
async def test_the_server_is_asked_for_all_others(connection: Connection) -> None:
    assert await connection.fetchval("SELECT $1::date[]", []) == []
    assert await connection.fetchval("SELECT ROW($1::bigint[], $2::uuid[])", [7], []) == ([7], [])
