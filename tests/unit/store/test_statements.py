"""The named statements: one text for both engines, and calls that name its parameters."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from esito.domain.evidence import SegmentPhase
from esito.store.postgres.postgres_statements import POSTGRES
from esito.store.postgres.postgres_statements import STATEMENTS as IN_POSTGRES
from esito.store.sqlite.spelling import SQLITE
from esito.store.sqlite.sqlite_connection import STATEMENTS as IN_SQLITE
from esito.store.statements import Statement, rendered

STORE = Path(__file__).parents[3] / "src" / "esito" / "store"

ASKING = {"run", "rows", "row", "number", "numbers", "text", "stream", "Read"}
"""What takes a statement's name and its parameters: the methods of a connection, and a question handed over."""


def calls() -> Iterator[tuple[str, str, set[str]]]:
    """Yield where a statement is asked by its name, which, and with what parameters."""
    for path in sorted(STORE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(ast.Attribute(attr=called) | ast.Name(id=called), [ast.Constant(value=str(name)), *_]):
                    if called in ASKING and None not in (given := {one.arg for one in node.keywords}):  # not by **
                        yield f"{path.name}:{node.lineno}", name, {str(one) for one in given}


@pytest.mark.parametrize(("where", "name", "given"), list(calls()))
def test_a_call_names_the_parameters_of_its_statement(where: str, name: str, given: set[str]) -> None:
    known = [statements[name] for statements in (IN_SQLITE, IN_POSTGRES) if name in statements]
    assert known, where
    assert [set(statement.parameters) for statement in known] == [given] * len(known), where


def test_an_engine_says_in_its_own_words_what_the_other_says_too() -> None:
    """What one engine alone has is asked behind `shared` or `indexed_by_number`, and those are few."""
    assert len(set(IN_SQLITE) ^ set(IN_POSTGRES)) < 20
    for name in set(IN_SQLITE) & set(IN_POSTGRES):
        assert set(IN_SQLITE[name].parameters) == set(IN_POSTGRES[name].parameters), name
        assert IN_SQLITE[name].columns == IN_POSTGRES[name].columns, name


@pytest.mark.parametrize(
    ("text", "sqlite", "postgres"),
    [
        ("a = :a AND b = :b OR a = :a", "a = ?1 AND b = ?2 OR a = ?1", "a = $1 AND b = $2 OR a = $1"),
        ("link {in: links}", "link IN (SELECT value FROM json_each(?1))", "link = ANY($1::bigint[])"),
        ("{each: ids} AS j", "json_each(?1) AS j", "unnest($1::bigint[]) AS j (value)"),
        ("SELECT {many: a, b} FROM t", "SELECT json_group_array(json_array(a, b)) FROM t", "SELECT a, b FROM t"),
        ("{sqlite: max}{postgres: greatest}(a, 3)", "max(a, 3)", "greatest(a, 3)"),
        ("t CROSS JOIN r INDEXED BY r_by_x ON x", "t CROSS JOIN r INDEXED BY r_by_x ON x", "t JOIN r ON x"),
        ("profile{postgres: ::json} ->> 'x'", "profile ->> 'x'", "profile::json ->> 'x'"),
        (
            "UPDATE t SET at = g.at FROM {rows: id bigint, at bigint} AS g WHERE t.id = g.id",
            "UPDATE t SET at = g.column2 FROM (VALUES %rows%) AS g WHERE t.id = g.column1",
            "UPDATE t SET at = g.column2 FROM unnest($1::text::bigint[], $2::text::bigint[]) AS g (column1, column2)"
            " WHERE t.id = g.column1",
        ),
        (
            "INSERT INTO t (id, x) {values: id bigint, x bytea}",
            "INSERT INTO t (id, x) VALUES %rows%",
            "INSERT INTO t (id, x) SELECT * FROM unnest($1::text::bigint[], $2::bytea[]) AS given (column1, column2)",
        ),
    ],
)
def test_a_shared_text_is_read_by_each_engine(text: str, sqlite: str, postgres: str) -> None:
    assert rendered(SQLITE, SQLITE.rewrite(text)).text == sqlite
    assert rendered(POSTGRES, POSTGRES.rewrite(text)).text == postgres


@pytest.mark.parametrize(
    ("text", "sqlite"),
    [
        (
            "ALTER TABLE t ADD COLUMN x smallint NOT NULL DEFAULT 0;",
            "ALTER TABLE t ADD COLUMN x INTEGER NOT NULL DEFAULT 0;",
        ),
        ("ALTER TABLE t ADD COLUMN x bytea;", "ALTER TABLE t ADD COLUMN x BLOB;"),
        ("CREATE TABLE t (\n    x bigint\n);", "CREATE TABLE t (\n    x INTEGER\n) STRICT;"),
        (
            "CREATE TABLE t (\n    x bigint,\n    y text,\n    PRIMARY KEY (x, y)\n) WITH (fillfactor = 50);",
            "CREATE TABLE t (\n    x INTEGER,\n    y text,\n    PRIMARY KEY (x, y)\n) STRICT, WITHOUT ROWID;",
        ),
    ],
)
def test_a_migration_has_the_types_of_sqlite(text: str, sqlite: str) -> None:
    assert SQLITE.schema(text) == sqlite


def test_a_fragment_that_nobody_knows_is_refused() -> None:
    with pytest.raises(ValueError, match=r"sqlite knows no \{soon: a\}"):
        rendered(SQLITE, "SELECT {soon: a}")


@pytest.mark.parametrize("constant", ["SegmentPhase.SOON", "Somebody.LATER"])
def test_a_constant_that_nobody_knows_is_refused(constant: str) -> None:
    with pytest.raises(ValueError, match=f"nothing is called {constant}"):
        rendered(SQLITE, f"SELECT {{{constant}}}")


def test_a_constant_is_its_number() -> None:
    assert rendered(SQLITE, "SELECT {SegmentPhase.LATER}").text == f"SELECT {SegmentPhase.LATER.value}"


@pytest.mark.parametrize(("given", "said"), [({"a": 1}, "'b' is missing"), ({"a": 1, "b": 2, "c": 3}, r"no such .* c")])
def test_other_parameters_than_a_statement_has_are_refused(given: dict[str, int], said: str) -> None:
    with pytest.raises(TypeError, match=said):
        Statement("a = ?1 AND b = ?2", ("a", "b"), (), many=False).in_order(given)


def test_parameters_are_handed_over_in_the_order_of_their_numbers() -> None:
    assert Statement("a = ?1 AND b = ?2", ("a", "b"), (), many=False).in_order({"b": 2, "a": 1}) == [1, 2]
