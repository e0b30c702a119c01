"""Imports point down: a room imports only what lies below it.

A room is what stands directly in src/esito, a package or a single module. The syntax trees are read, so an import
hidden in a function or under TYPE_CHECKING counts too. Every room has a line in the table and the table has no circle,
so a chain of imports cannot point up either.
"""

import ast
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[1] / "src" / "esito"

BELOW: dict[str, set[str]] = {
    "domain": set(),
    "clockwork": {"domain"},
    "metrics": set(),
    "logs": {"domain"},
    "private_files": set(),
    "config_rules": {"domain"},
    "config": {"domain", "config_rules"},
    "client": {"domain"},
    "store": {"domain"},
    "receipt_log": {"domain", "store"},
    "smpp": {"domain"},
    "simulator": {"domain", "smpp", "config"},
    "links": {"domain", "store", "smpp"},
    "lifecycle": {"domain", "store", "receipt_log", "smpp", "links", "config"},
    "webhooks": {"domain", "store", "config"},
    "api": {"domain", "store", "lifecycle", "config"},
}
BELOW["app"] = set(BELOW)
BELOW["cli"] = set(BELOW)

# What every room may use: counters, logs, waiting on a clock, and files for their owner alone.
EVERYBODYS = {"metrics", "logs", "clockwork", "private_files"}
# Only these do not: what others stand on, and the client, which is used without a server.
ON_THEIR_OWN = {"domain", "client", *EVERYBODYS}

ALLOWED = {room: below if room in ON_THEIR_OWN else below | EVERYBODYS for room, below in BELOW.items()}

# What moves rows from one adapter to another knows both.
COPY = "esito.store.copy."
ADAPTERS = ("esito.store.sqlite", "esito.store.postgres", "esito.receipt_log.jetstream")

# Modules of the standard library that read, write, wait or run something.
DOINGS = {
    *("asyncio", "concurrent", "ctypes", "ftplib", "http", "logging", "mmap", "multiprocessing", "os", "pathlib"),
    *("select", "selectors", "shutil", "signal", "smtplib", "socket", "socketserver", "sqlite3", "ssl", "subprocess"),
    *("tempfile", "threading", "urllib"),
}


def modules_of(room: str, house: Path = HOUSE) -> list[Path]:
    alone = house / f"{room}.py"
    return sorted((house / room).rglob("*.py")) + ([alone] if alone.exists() else [])


def name_of(path: Path, house: Path = HOUSE) -> str:
    parts = path.relative_to(house.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path, house: Path = HOUSE) -> Iterator[str]:
    """Yield each imported module by its full name; for `from a import b` both `a` and `a.b`, as b may be a module."""
    package = list(path.relative_to(house.parent).parent.parts)
    for node in ast.walk(ast.parse(path.read_text(), filename=str(path))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*above, *([node.module] if node.module else [])])
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def rooms_imported_by(path: Path, house: Path = HOUSE) -> set[str]:
    existing = {path.stem for path in house.iterdir()}
    names = [name.split(".") for name in imports_of(path, house)]
    return {parts[1] for parts in names if parts[0] == "esito" and parts[1:] and parts[1] in existing}


def imports_that_point_up(room: str, allowed: set[str], house: Path = HOUSE) -> list[str]:
    return [
        f"{name_of(path, house)} imports {imported}"
        for path in modules_of(room, house)
        for imported in sorted(rooms_imported_by(path, house) - allowed - {room})
    ]


def packages_imported_by(room: str) -> set[str]:
    names = {name.split(".")[0] for path in modules_of(room) for name in imports_of(path)}
    return names - set(sys.stdlib_module_names) - {"esito"}


def is_adapter(name: str) -> bool:
    return any(name == adapter or name.startswith(f"{adapter}.") for adapter in ADAPTERS)


@pytest.mark.parametrize("room", BELOW)
def test_room_imports_only_what_is_below(room: str) -> None:
    assert imports_that_point_up(room, ALLOWED[room]) == []


def test_the_table_names_every_room_and_nothing_else() -> None:
    rooms = {path.stem for path in HOUSE.iterdir() if path.suffix == ".py" or any(path.rglob("*.py"))}
    assert rooms - {"__init__", "__main__"} == set(BELOW)
    assert set().union(*BELOW.values(), EVERYBODYS, ON_THEIR_OWN) <= set(BELOW)


def test_the_table_has_no_circle() -> None:
    assert list(TopologicalSorter(ALLOWED).static_order())[-1] == "cli"
    with pytest.raises(CycleError):
        TopologicalSorter(ALLOWED | {"domain": {"api"}}).prepare()


def test_the_domain_imports_the_standard_library_only() -> None:
    assert packages_imported_by("domain") == set()


def test_the_domain_neither_reads_nor_writes_nor_waits() -> None:
    for path in modules_of("domain"):
        assert {name.split(".")[0] for name in imports_of(path)} & DOINGS == set(), path.name
        waits = [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.AsyncFunctionDef)]
        assert waits == [], path.name


def test_the_client_imports_httpx_and_nothing_else_from_outside() -> None:
    assert packages_imported_by("client") <= {"httpx"}


def test_only_the_wiring_names_an_adapter() -> None:
    for path in sorted(HOUSE.rglob("*.py")):
        importer = name_of(path)
        if importer.startswith(("esito.app.wiring", COPY)) or is_adapter(importer):
            continue
        assert [name for name in imports_of(path) if is_adapter(name)] == [], importer


@pytest.mark.parametrize(
    "line",
    [
        "import esito.api.http.response",
        "from esito import api",
        "from esito.api import answer",
        "from ..api import answer",
        "from .. import api",
        "def late():\n    from esito.api.http.response import envelope",
        "if TYPE_CHECKING:\n    from esito.api.http.response import envelope",
    ],
)
def test_an_import_that_points_up_is_seen_however_it_is_written(tmp_path: Path, line: str) -> None:
    house = tmp_path / "esito"
    for room in ("api", "store"):
        (house / room).mkdir(parents=True)
    (house / "store" / "engine.py").write_text(line + "\n")
    assert imports_that_point_up("store", {"domain"}, house) == ["esito.store.engine imports api"]
