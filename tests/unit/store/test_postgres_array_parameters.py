"""Rows come to PostgreSQL as they are, whatever stands in them."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from esito.domain.states import MessageState
from esito.store.postgres.array_parameters import array, columns
from esito.store.postgres.text_escapes import as_it_was
from tests.kit.needs import needs
from tests.kit.postgres import drop_database, fresh_database

pytestmark = [pytest.mark.anyio, needs("postgres")]

KINDS = ("bigint", "int", "smallint", "text", "bytea")

TEXTS = [
    "", " ", "NULL", "null", "plain", 'with "quotes"', '"', '","', "back\\slash", "\\", '\\"', "{a,b}", "a,b", "'",
    "\n\t\x01", "è €\U0001f600", "NUL \x00", "half \ud83d", "\U0010fffd000000",
]  # fmt: skip


@pytest.fixture
async def connection() -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    url = await fresh_database(migrated=False)
    opened = await asyncpg.connect(url)
    try:
        yield opened
    finally:
        await opened.close()
        await drop_database(url)


async def come_back(
    connection: "asyncpg.Connection[asyncpg.Record]", rows: list[tuple[Any, ...]]
) -> list[tuple[Any, ...]]:
    arrays = ", ".join(array(number, kind) for number, kind in enumerate(KINDS, 1))
    found = await connection.fetch(f"SELECT * FROM unnest({arrays})", *columns(rows, KINDS))
    return [tuple(as_it_was(value) if isinstance(value, str) else value for value in row) for row in found]


@pytest.mark.parametrize("text", TEXTS)
async def test_a_text_comes_as_it_is_alone_and_among_others(
    connection: "asyncpg.Connection[asyncpg.Record]", text: str
) -> None:
    one: tuple[Any, ...] = (1, 2, 3, text, b"\x00\xff")
    for others in ((), ((4, 5, 6, "other", b""),), ((4, 5, 6, "", b""), (7, 8, 9, None, None))):
        assert await come_back(connection, [one, *others]) == [one, *others]


async def test_numbers_come_as_they_are_and_nothing_as_nothing(
    connection: "asyncpg.Connection[asyncpg.Record]",
) -> None:
    rows: list[tuple[Any, ...]] = [
        (2**63 - 1, -(2**31), 0, "a", None),
        (-(2**63), 2**31 - 1, None, "b", None),
        (None, None, -1, "c", None),
    ]
    assert await come_back(connection, rows) == rows


async def test_what_stands_for_a_number_is_one(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    rows: list[tuple[Any, ...]] = [(True, MessageState.DELIVERED, False, "", None)]
    assert await come_back(connection, rows) == [(1, 8, 0, "", None)]


def test_no_rows_have_no_columns() -> None:
    assert columns([], KINDS) == []


def test_rows_of_another_width_are_a_mistake() -> None:
    with pytest.raises(ValueError, match="zip"):
        columns([(1, 2)], KINDS)
