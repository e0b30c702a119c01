"""Where a line of the store runs shows in its folder.

`store/transactions` runs on a connection, in the writer's thread or in a reading one: nothing there waits, and nothing
there knows the event loop. Above it, `store/sql_store` hands transactions and questions over, and names no statement.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from esito.store.postgres.postgres_statements import STATEMENTS as IN_POSTGRES
from esito.store.sqlite.sqlite_connection import STATEMENTS as IN_SQLITE
from tests.test_floors import HOUSE, imports_of, modules_of, name_of

STORE = HOUSE / "store"
TRANSACTIONS = sorted((STORE / "transactions").rglob("*.py"))

EVENT_LOOP = ("asyncio", "esito.store.sql_store", "esito.store.engine", "esito.store.group_commit")
"""What belongs to the event loop, or hands work over to another thread."""

ASK = {"run", "rows", "row", "number", "numbers", "text", "rows_for", "run_rows", "stream", "Read"}
"""What takes the name of a statement: the methods of a connection, and a question that is handed over as one."""

# The transactions, and the engines below them, which have some statements of their own.
NAMES_STATEMENTS = ("esito.store.transactions.", "esito.store.sqlite.", "esito.store.postgres.")


def waits(tree: ast.Module) -> Iterator[int]:
    """Yield the lines that only an event loop can run."""
    kinds = (ast.AsyncFunctionDef, ast.Await, ast.AsyncFor, ast.AsyncWith)
    for node in ast.walk(tree):
        if isinstance(node, kinds) or (isinstance(node, ast.comprehension) and node.is_async):
            yield getattr(node, "lineno", 0)


def statements_named_by(tree: ast.Module) -> Iterator[str]:
    """Yield the statements that are asked for by their name."""
    known = IN_SQLITE.keys() | IN_POSTGRES.keys()
    for node in ast.walk(tree):
        match node:
            case ast.Call(ast.Attribute(attr=called) | ast.Name(id=called), [ast.Constant(value=str(name)), *_]):
                if called in ASK and name in known:
                    yield name


@pytest.mark.parametrize("path", TRANSACTIONS, ids=lambda path: path.stem)
def test_a_transaction_neither_waits_nor_knows_the_event_loop(path: Path) -> None:
    assert list(waits(ast.parse(path.read_text()))) == []
    assert [name for name in imports_of(path) if name.startswith(EVENT_LOOP)] == []


def test_nothing_above_the_transactions_names_a_statement() -> None:
    for room in sorted(path.stem for path in HOUSE.iterdir()):
        for path in modules_of(room):
            if not name_of(path).startswith(NAMES_STATEMENTS):
                assert list(statements_named_by(ast.parse(path.read_text()))) == [], name_of(path)


def test_the_transactions_name_the_statements() -> None:
    """A control: most statements are found where they may be."""
    named = {name for path in TRANSACTIONS for name in statements_named_by(ast.parse(path.read_text()))}
    assert len(named) > len(IN_SQLITE) / 2


@pytest.mark.parametrize(
    "line",
    ["async def late(): ...", "async def late():\n    await soon()", "rows = [one async for one in many()]"],
)
def test_what_waits_is_seen_however_it_is_written(line: str) -> None:
    assert list(waits(ast.parse(line, mode="exec")))


@pytest.mark.parametrize("line", ["read.rows('leases', Row)", "await engine.rows(Read('leases', Row))"])
def test_a_statement_is_seen_however_it_is_asked_for(line: str) -> None:
    assert list(statements_named_by(ast.parse(line))) == ["leases"]
