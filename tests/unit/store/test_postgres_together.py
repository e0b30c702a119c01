"""Several statements that go to PostgreSQL as one: each has its own parameters, none sees what another changes."""

import re
from pathlib import Path

import asyncpg
import pytest

from esito.store.postgres.postgres_statements import KINDS, STATEMENTS, together
from tests.kit.needs import needs
from tests.kit.stores import a_place

pytestmark = pytest.mark.anyio

ACCEPTING = (
    "take_credit", "spend", "insert_messages", "insert_texts", "insert_recipients", "insert_outgoing",
    "insert_callbacks", "insert_idempotency",
)  # fmt: skip
CHANGED = re.compile(r"\b(?:INSERT INTO|UPDATE) (?!SET\b)(\w+)")


def parameters(sql: str) -> list[int]:
    return sorted({int(one) for one in re.findall(r"\$(\d+)", sql)})


@pytest.mark.parametrize("count", range(1, len(ACCEPTING) + 1))
def test_each_has_its_own_parameters(count: int) -> None:
    names = ACCEPTING[:count]
    many = sum(len(KINDS[name]) if name in KINDS else 1 for name in names)
    assert parameters(together(*names)) == list(range(1, many + 1))
    assert sum(len(parameters(STATEMENTS[name].text)) for name in names) == many


def test_no_two_change_one_table() -> None:
    changed = [CHANGED.search(STATEMENTS[name].text) for name in ACCEPTING]
    tables = [one.group(1) for one in changed if one is not None]
    assert len(tables) == len(set(tables)) == len(ACCEPTING)


@needs("postgres")
async def test_the_server_takes_them(tmp_path: Path) -> None:
    async with a_place("postgres", tmp_path) as url:
        connection = await asyncpg.connect(url)
        try:
            prepared = await connection.prepare(together(*ACCEPTING))
            assert len(prepared.get_parameters()) == len(parameters(together(*ACCEPTING)))
        finally:
            await connection.close()
