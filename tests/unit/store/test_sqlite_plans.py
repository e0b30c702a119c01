"""No statement reads a table that grows from end to end, but for those that are meant to."""

import re
from collections.abc import Iterator

import apsw
import pytest

from esito.store.sqlite.spelling import ROWS
from esito.store.sqlite.sqlite_connection import STATEMENTS, connect, migrate

GROWS = {
    "message", "message_text", "recipient", "segment", "outgoing", "trail", "unmatched", "unmatched_key", "callback",
    "callback_attempt", "reply", "response", "stop", "stop_answer", "sent_run", "sent_to", "spending", "idempotency",
    "audit", "account", "api_key", "destination", "gone_path", "frame_beyond",
}  # fmt: skip

MEANT = {
    "counts": "for monitors, aside, and seldom",
    "counts_by_state": "for monitors, aside, and seldom",
    "callbacks_waiting_count": "for monitors: only what waits or is dead is in those indexes",
    "free_all_leases": "once, at the start: only what is open is in that index",
    "stop_answers_due": "only what waits is in that index",
    "waiting_for_number": "an erasure: only what waits is in that index",
    "loose_of_number": "an erasure",
    "responses_of_number": "an erasure",
    "pieces_of_response": "an erasure",
    "forget_stops": "an erasure",
    "remove_sent_to": "an erasure, of runs",
    "runs_end": "the last row alone",
    "sent_in_runs": "of runs: one for thousands of recipients",
    "all_beyond": "once, at the start",
    "audit": "a page of it, from its end",
    "all_accounts": "administration",
    "account_above": "administration",
    "keys_of": "administration",
    "subaccounts": "administration",
    "subaccount_keys": "administration",
    "disable_keys_of": "administration",
    "sum_up_below": "administration",
    "owner_of_number": "of accounts, for what a subscriber writes",
}
"""Why a statement may; all that begin with `books_` prove the books."""


@pytest.fixture(scope="module")
def connection(tmp_path_factory: pytest.TempPathFactory) -> Iterator[apsw.Connection]:
    path = tmp_path_factory.mktemp("plans") / "esito.db"
    made = connect(path)
    migrate(made)
    yield made
    made.close()


@pytest.fixture(scope="module")
def misled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[apsw.Connection]:
    """A file of which somebody said ANALYZE while every table was one account's, one operator's, one day's."""
    path = tmp_path_factory.mktemp("plans") / "analyzed.db"
    first = connect(path)
    migrate(first)
    first.execute("ANALYZE; DELETE FROM sqlite_stat1")
    for index, table in list(first.execute("SELECT name, tbl_name FROM sqlite_schema WHERE type = 'index'")):
        columns = len(list(first.execute(f"PRAGMA index_info({index})")))
        alike = " ".join(["1000000"] * (columns + 1))
        first.execute("INSERT INTO sqlite_stat1 VALUES (?, ?, ?)", (table, index, alike))
    first.close()
    made = connect(path)
    migrate(made)
    yield made
    made.close()


def with_a_row(sql: str) -> str:
    """Return a statement about many rows as one about a single one."""
    listed = re.search(r"INSERT (?:OR \w+ )?INTO \w+ \(([^)]*)\)", sql) or re.search(r"\(([\w, ]+)\) IN \(VALUES", sql)
    width = max([1, *map(int, re.findall(r"column(\d+)", sql)), len(listed[1].split(",")) if listed else 1])
    return sql.replace(ROWS, "(" + ", ".join(["1"] * width) + ")")


def read_from_end_to_end(connection: apsw.Connection, sql: str) -> list[str]:
    """Return the tables that grow and are read so."""
    sql = with_a_row(sql)
    count = max(map(int, re.findall(r"\?(\d+)", sql)), default=sql.count("?"))
    steps = [str(row[3]) for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", [None] * count, can_cache=False)]
    named = {alias: table for table, alias in re.findall(r"(?:FROM|JOIN)\s+(\w+)\s+(?:AS\s+)?(\w+)", sql)}
    made = re.findall(r"\)\s+AS\s+(\w+)", sql)  # what the statement puts together itself
    scanned = [step.split()[1] for step in steps if step.startswith("SCAN ")]
    return [named.get(one, one) for one in scanned if one not in made and named.get(one, one) in GROWS]


@pytest.mark.parametrize("name", [name for name in STATEMENTS if not name.startswith("books_") and name not in MEANT])
def test_a_statement_reads_no_table_from_end_to_end(connection: apsw.Connection, name: str) -> None:
    assert read_from_end_to_end(connection, STATEMENTS[name].text) == []


@pytest.mark.parametrize("name", [name for name in STATEMENTS if not name.startswith("books_") and name not in MEANT])
def test_it_does_not_whatever_a_file_says_of_its_tables(misled: apsw.Connection, name: str) -> None:
    assert read_from_end_to_end(misled, STATEMENTS[name].text) == []


@pytest.mark.parametrize("name", MEANT)
def test_what_is_meant_to_does(connection: apsw.Connection, name: str) -> None:
    assert read_from_end_to_end(connection, STATEMENTS[name].text)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) FROM segment WHERE done_at = ?",
        "SELECT 1 FROM unmatched WHERE operator = ?1 AND waits = ?2",
        f"SELECT 1 FROM (VALUES {ROWS}) AS b CROSS JOIN segment s ON (s.message_id, s.seq) IN ("
        "SELECT u.message_id, u.seq FROM segment u WHERE u.operator = b.column1 UNION ALL SELECT 1, 2)",
    ],
)
def test_one_that_does_is_seen(connection: apsw.Connection, sql: str) -> None:
    assert read_from_end_to_end(connection, sql)
