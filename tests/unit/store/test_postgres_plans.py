"""With a million recipients, no statement of the hot paths reads a table from one end to the other."""

import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from benchmarks import many
from esito.store.postgres.postgres_connection import IN_PASSING
from esito.store.postgres.postgres_statements import STATEMENTS
from tests.kit.needs import needs
from tests.kit.stores import a_place

pytestmark = [pytest.mark.anyio, needs("postgres")]

RECIPIENTS = 1_000_000

MORE = """
UPDATE segment SET phase = 1, match_key = NULL, smsc_id = NULL WHERE message_id % 100 = 7 AND seq = 3;
UPDATE segment SET phase = 5, match_key = NULL, smsc_id = NULL, number_tail = message_id % 10000000
 WHERE message_id % 100 = 8 AND seq = 3;
UPDATE segment SET phase = 2, retry_at = 1 WHERE message_id % 100 = 9 AND seq = 3;
UPDATE message SET tag = 'tag' || id / 100, url_dlr = 'https://example.org/dlr' WHERE id % 10 = 1;
INSERT INTO outgoing
SELECT 1 + n % 2, CASE WHEN n % 3 = 0 THEN 0 ELSE (12::bigint << 40) + 1 + n % 7 END, n, n, 1, 1, 10, 1 + n % 7
  FROM generate_series(1, 20000) AS n;
INSERT INTO trail (id, message_id, received_at, checksum, link, verdict, smsc_id, stat, error, flags, raw)
SELECT n, 0, n, 0, 1, 'orphan', 'x' || n, 'DELIVRD', '', '', '' FROM generate_series(1, 20000) AS n;
INSERT INTO trail (id, message_id, received_at, checksum, link, seq, part, verdict, smsc_id, stat, error, flags, raw)
SELECT 20000 + n, n / 10 + 1, n, 0, 1, n % 10 + 1, 1, 'moved', 'y' || n, 'DELIVRD', '', '', ''
  FROM generate_series(0, 199999) AS n;
INSERT INTO unmatched (trail, operator, source_addr, destination_addr, received_at, waits)
SELECT n, 1, '', '', n, n % 4 FROM generate_series(1, 20000) AS n;
INSERT INTO unmatched_key SELECT 1, 'x' || n, n FROM generate_series(1, 20000) AS n;
INSERT INTO destination (account, origin) SELECT 1, 'https://h' || n FROM generate_series(1, 50) AS n;
INSERT INTO callback (message_id, at, seq, state, account, destination, phase, next_at, done_at)
SELECT n, n, 1, 8, 1, 1 + n % 50, 1 + n % 5, n, CASE WHEN n % 5 = 3 THEN n END FROM generate_series(1, 50000) AS n;
INSERT INTO callback (message_id, at, seq, state) SELECT n, n, 2, 8 FROM generate_series(1, 20000) AS n;
INSERT INTO callback_attempt SELECT id, 1, 1, 1, 200, '', '', '' FROM callback WHERE done_at IS NOT NULL;
INSERT INTO stop (account, msisdn, created_at) SELECT 1, n, 1 FROM generate_series(1, 20000) AS n;
"""

HOT = [
    "account_by_key", "erase_raw", "stopped_among", "standing", "spent_on", "insert_messages", "insert_texts",
    "insert_recipients", "insert_outgoing", "due", "waiting", "come_due", "set_lane", "outgoing", "drop_outgoing_of",
    "postponed", "postponed_elsewhere", "put_off_too_far", "bring_forward", "drop_postponed_of",
    "resubmit", "insert_segments", "delete_outgoing", "move_outgoing", "submissions", "answer_accepted", "answer_twice",
    "answers_bear_on", "forget_tails", "ask_later", "answer_other", "refused", "told_by_sisters",
    "candidates_by_match_key", "candidates_by_ref", "wanting_callbacks", "segment_states", "move_segments",
    "move_recipients", "known_match_keys", "owes_answers", "open_submissions", "has_uncertain", "set_tails",
    "tailed_numbers", "candidates_by_tail", "senders", "identify_segments", "insert_callbacks", "insert_unmatched",
    "insert_unmatched_keys", "unmatched_under", "has_waiting", "released", "undecided", "keep_waiting",
    "delete_unmatched", "delete_unmatched_keys", "recipients_of", "recipient_of", "tag_total", "recipients_by_tag",
    "message_overview", "message_counts", "message_texts", "recipients_page", "explained_recipient",
    "explained_segments", "explained_trail", "messages_to_check", "never_submitted", "unreported", "set_check",
    "new_callbacks", "route_callbacks", "destination_of", "due_of_destination", "claimable", "ended_leases",
    "open_accounts", "open_destinations", "callbacks_standing", "finished_since", "urls_of_gone",
    "lease_callbacks", "free_callbacks", "callbacks_to_make", "record_attempts", "insert_attempts",
    "promote_callbacks", "put_behind", "attempts_of", "callbacks_of_message", "is_unfinished", "last_recipients",
    "remove_recipient", "remove_segments", "remove_trail", "old_messages", "begin_mark", "held_mark", "move_mark",
    "frames_beyond", "take_lease", "renew_lease", "holds_lease", "queries_due", "to_query", "set_query", "queried_only",
    "to_take_back", "queued_messages", "postponed_messages", "set_taken_back",
]  # fmt: skip

LARGE = {
    "message", "message_text", "recipient", "segment", "trail", "outgoing", "unmatched", "unmatched_key", "callback",
    "callback_attempt", "stop",
}  # fmt: skip
"""Those that grow with what is sent. Others have a row for an account, a link, a destination."""


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="module")
async def connection(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator["asyncpg.Connection[Any]"]:
    """A connection as the store has it, to a database with many recipients."""
    folder: Path = tmp_path_factory.mktemp("plans")
    async with a_place("postgres", folder) as url:
        await many.fill_postgres(url, RECIPIENTS)
        found = await asyncpg.connect(url, server_settings=IN_PASSING, statement_cache_size=0)
        await found.execute(MORE)
        await found.execute("ANALYZE")
        yield found
        await found.close()


@pytest.mark.parametrize("name", HOT)
async def test_a_hot_statement_is_led_by_indexes(connection: "asyncpg.Connection[Any]", name: str) -> None:
    plan = await plan_of(connection, STATEMENTS[name].text)
    assert [_short(node) for node in nodes(plan) if reads_all(node)] == []


async def test_a_statement_that_reads_all_is_seen(connection: "asyncpg.Connection[Any]") -> None:
    """The test itself can fail."""
    for sql in (
        "SELECT count(*) FROM recipient WHERE cost = $1::int",
        "SELECT * FROM segment WHERE done_at = $1",
    ):
        assert any(reads_all(node) for node in nodes(await plan_of(connection, sql))), sql


async def plan_of(connection: "asyncpg.Connection[Any]", sql: str) -> dict[str, Any]:
    """Return the plan that serves for any parameters, which is the one that the store's connections make."""
    await connection.execute(f"PREPARE hot AS {sql.strip().rstrip(';')}")
    try:
        count = await connection.fetchval(
            "SELECT cardinality(parameter_types) FROM pg_prepared_statements WHERE name = 'hot'"
        )
        given = f"({', '.join(['NULL'] * count)})" if count else ""
        told = await connection.fetchval(f"EXPLAIN (FORMAT JSON) EXECUTE hot{given}")
    finally:
        await connection.execute("DEALLOCATE hot")
    plan: dict[str, Any] = json.loads(told)[0]["Plan"]
    return plan


def nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for inner in plan.get("Plans", []):
        yield from nodes(inner)


def reads_all(node: dict[str, Any]) -> bool:
    """Tell whether a node reads a large table, or an index of one, from its beginning without a limit."""
    table = node.get("Relation Name", "").rstrip("0123456789").rstrip("_").removesuffix("_loose")
    if table not in LARGE:
        return False
    kind = node["Node Type"]
    return kind == "Seq Scan" or (kind.startswith("Index") and not node.get("Index Cond"))


def _short(node: dict[str, Any]) -> str:
    return f"{node['Node Type']} of {node.get('Relation Name')} by {node.get('Index Name')}"
