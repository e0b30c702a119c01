"""What others wrote reaches a terminal as text: it neither steers it nor is taken for markup."""

import ast
import asyncio
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import Result

import esito.cli
from esito.cli.terminal import TextTable, say, show
from esito.store.sqlite import SqliteStore
from tests.kit.builders import NOW

HOSTILE = ["[/x]@a", "[bold]b", "\x1b[2J", "\x9b31m", "a\rb", "\u202eb", "\x1b]0;title\x07"]
ONLY_THERE = {("click", "echo"), ("click", "secho"), ("click", "style"), ("builtins", "print")}


@pytest.mark.parametrize("text", HOSTILE)
def test_a_cell_is_what_was_written(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    table = TextTable("what")
    table.add_row(text)
    show(table)
    say(f"told: {text}")
    told = capsys.readouterr().out
    assert not set(told) & {"\x1b", "\x9b", "\r", "\u202e", "\x07"}
    assert told.count(text.encode("unicode_escape").decode().replace("\\\\", "\\")) == 2


@pytest.mark.parametrize("email", ["[/x]@a", "[red]x@example.org"])
def test_an_address_that_looks_like_markup_breaks_no_list(
    run: Callable[..., Result], tmp_path: Path, email: str
) -> None:
    """A sub-account has the address that its maker gave for a name."""

    async def create(file: Path) -> None:
        store = SqliteStore(file)
        await store.open()
        await store.create_account(email, credit=Decimal(1), key_digest=b"x" * 32, at=NOW)
        await store.ledger.note(actor="x", act="\x1b[2J", subject=email, details="[/]", at=NOW)
        await store.close()

    run("migrate")
    (file,) = tmp_path.rglob("*.db")
    asyncio.run(create(file))
    for command in (("account", "list"), ("audit",)):
        done = run(*command, COLUMNS="200")
        assert (done.exit_code, done.exception) == (0, None)
        assert email in done.stdout
        assert "\x1b" not in done.stdout


def test_a_refusal_steers_no_terminal(run: Callable[..., Result]) -> None:
    done = run("link", "disable", "\x1b[2Jnorth")
    assert done.exit_code == 1
    assert "\x1b" not in done.output


def test_every_command_prints_by_one_way() -> None:
    """No `click.echo`, no bare table, no `print` beside it."""
    found = []
    for file in sorted(Path(esito.cli.__path__[0]).glob("*.py")):
        if file.name == "terminal.py":
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                if (node.value.id, node.attr) in ONLY_THERE:
                    found.append(f"{file.name}:{node.lineno}: {node.value.id}.{node.attr}")
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
                found.append(f"{file.name}:{node.lineno}: print")
            elif isinstance(node, ast.ImportFrom) and node.module == "rich.table":
                found.append(f"{file.name}:{node.lineno}: rich.table")
    assert found == []
