"""To sort or replay some callbacks looks at those and their neighbours, however many are new or due."""

import json
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from esito.store.postgres.postgres_connection import IN_PASSING
from esito.store.postgres.postgres_statements import STATEMENTS
from tests.kit.needs import needs
from tests.kit.stores import a_place
from tests.unit.store.test_postgres_plans import nodes

pytestmark = [pytest.mark.anyio, needs("postgres")]

REPLAYED = 300


def given(types: list[str]) -> list[str]:
    """Return what a statement is asked with: the ids that are replayed as its first array."""
    ids = iter([list(range(1, REPLAYED + 1))])
    return [
        "1" if one in {"bigint", "smallint"} else "'{" + ",".join(map(str, next(ids, [1] * REPLAYED))) + "}'"
        for one in types
    ]


@pytest.mark.parametrize(
    ("name", "phase"),
    [
        ("hold_heads", 1),
        ("put_behind", 1),
        ("route_callbacks", 0),
        *[("promote_callbacks", phase) for phase in (1, 2, 3)],
    ],
)
async def test_it_looks_at_what_is_replayed(tmp_path: Path, name: str, phase: int) -> None:
    async with a_place("postgres", tmp_path) as url:
        connection = await asyncpg.connect(url, server_settings=IN_PASSING)
        await connection.execute(
            "INSERT INTO callback (message_id, at, seq, state, account, destination, phase, done_at, reason)"
            " SELECT n, n, 0, 8, 1, 1, 5, n, 'given up' FROM generate_series(1, 20000) AS n"
        )
        await connection.execute("ANALYZE callback")
        await connection.execute(f"UPDATE callback SET phase = {phase}, next_at = 1")
        await connection.execute(f"PREPARE asked AS {STATEMENTS[name].text}")
        asked = "SELECT parameter_types::text[] FROM pg_prepared_statements WHERE name = 'asked'"  # there are others
        types = await connection.fetchval(asked)
        told = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE asked ({', '.join(given(types))})")
        await connection.close()
    plan: dict[str, Any] = json.loads(told)[0]["Plan"]
    seen = [
        (node["Actual Rows"] + node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Join Filter", 0))
        * node["Actual Loops"]
        for node in nodes(plan)
    ]
    assert max(seen) <= 2 * REPLAYED
