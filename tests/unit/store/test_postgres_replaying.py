"""To sort or replay some callbacks looks at those and their neighbours, however many are new or due."""

import json
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from esito.store.postgres.connection import IN_PASSING
from esito.store.postgres.statements import QUERIES
from tests.kit.needs import needs
from tests.kit.stores import a_place
from tests.unit.store.test_postgres_plans import nodes

pytestmark = [pytest.mark.anyio, needs("postgres")]

REPLAYED = 300


@pytest.mark.parametrize(("name", "phase"), [("hold_heads", 1), ("put_behind", 1), ("sort_callbacks", 0)])
async def test_it_looks_at_what_is_replayed(tmp_path: Path, name: str, phase: int) -> None:
    async with a_place("postgres", tmp_path) as url:
        connection = await asyncpg.connect(url, server_settings=IN_PASSING)
        await connection.execute(
            "INSERT INTO callback (message_id, at, seq, state, account, destination, phase, done_at, reason)"
            " SELECT n, n, 0, 8, 1, 1, 5, n, 'given up' FROM generate_series(1, 20000) AS n"
        )
        await connection.execute("ANALYZE callback")
        await connection.execute(f"UPDATE callback SET phase = {phase}, next_at = 1")
        await connection.execute(f"PREPARE asked AS {QUERIES[name]}")
        types = "SELECT cardinality(parameter_types) FROM pg_prepared_statements WHERE name = 'asked'"  # others too
        count = await connection.fetchval(types)
        given = [list(range(1, REPLAYED + 1)), *([1] * REPLAYED for _ in range(count - 1))]
        arrays = ", ".join(f"'{{{','.join(map(str, one))}}}'" for one in given)
        told = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE asked ({arrays})")
        await connection.close()
    plan: dict[str, Any] = json.loads(told)[0]["Plan"]
    seen = [
        (node["Actual Rows"] + node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Join Filter", 0))
        * node["Actual Loops"]
        for node in nodes(plan)
    ]
    assert max(seen) <= 2 * REPLAYED
