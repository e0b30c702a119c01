"""What a link asks for many times a second is led by indexes, whatever waits."""

from collections.abc import Iterator
from pathlib import Path

import apsw
import pytest

from esito.store.sqlite.connection import QUERIES, connect, migrate

HOT = {
    "due": 4, "waiting": 4, "come_due": 3, "outgoing": 3, "postponed": 3, "postponed_elsewhere": 5,
    "put_off_too_far": 3, "drop_outgoing_of": 1, "messages_to_check": 2, "never_submitted": 1, "unreported": 1,
    "drop_postponed_of": 1, "queries_due": 2, "to_query": 3, "answers_bear_on": 1,
    "to_take_back": 1, "queued_messages": 2, "postponed_messages": 2,
}  # fmt: skip
"""Statements, and how many parameters each has."""

LARGE = ("outgoing", "segment", "recipient", "message")


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[apsw.Connection]:
    made = connect(tmp_path / "esito.db")
    migrate(made)
    yield made
    made.close()


def read_from_end_to_end(connection: apsw.Connection, sql: str, count: int) -> list[str]:
    steps = [str(row[3]) for row in connection.execute(f"EXPLAIN QUERY PLAN {sql}", [None] * count)]
    short = {"o": "outgoing", "s": "segment", "r": "recipient", "m": "message"}
    scanned = [step.split()[1] for step in steps if step.startswith("SCAN")]
    return [table for table in scanned if short.get(table, table) in LARGE]


@pytest.mark.parametrize("name", HOT)
def test_a_hot_statement_reads_no_table_from_end_to_end(connection: apsw.Connection, name: str) -> None:
    assert read_from_end_to_end(connection, QUERIES[name], HOT[name]) == []


def test_one_that_does_is_seen(connection: apsw.Connection) -> None:
    assert read_from_end_to_end(connection, "SELECT count(*) FROM segment WHERE done_at = ?", 1) == ["segment"]
