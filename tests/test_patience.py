"""No test holds a time against a number of seconds: a slow machine is not a fault (tests/kit/patience.py)."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
PATIENT = TESTS / "kit" / "patience.py"
PLAYER = TESTS / "receipts"
"""Plays cases, which name times of their own."""

CLOCKS = {"monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns"}
WAITS = {"timeout": 0, "settimeout": 0, "result": 0, "join": 0, "wait": 0, "wait_for": 1}
"""Calls that give up after so many seconds, by the place of that argument."""
HASTY = {
    f"httpx.{name}" for name in ("get", "post", "put", "patch", "delete", "request", "stream", "Client", "AsyncClient")
}
"""Calls that give up after five seconds if they are not told otherwise."""
HASTY_NAMES = {name.partition(".")[2] for name in HASTY}


def faults_of(source: str) -> list[str]:
    """Return what a module does with times that no test may do."""
    tree = ast.parse(source)
    numbers = {name for node in tree.body if isinstance(node, ast.Assign) and _is_number(node.value, set())
               for name in _names(node.targets)}  # fmt: skip
    found = [*_clocks(tree), *_literal_waits(tree, numbers)]
    for function in ast.walk(tree) if "moment()" in source or ".time()" in source else ():
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            found += _durations(function)
    return sorted(set(found), key=lambda fault: int(fault.partition(":")[0]))


def _clocks(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        named = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
        if named in CLOCKS:
            yield f"{node.lineno}: reads {named}"  # type: ignore[attr-defined]


def _literal_waits(tree: ast.Module, numbers: set[str]) -> Iterator[str]:
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        named = {word.arg for word in node.keywords}
        if name in HASTY_NAMES and ast.unparse(node.func) in HASTY and not named & {"timeout", "transport", None}:
            yield f"{node.lineno}: gives no timeout to {ast.unparse(node.func)}"
        given = [word.value for word in node.keywords if word.arg == "timeout"]
        if (place := WAITS.get(name)) is not None:
            given += node.args[place : place + 1]
        for seconds in given:
            if _is_number(seconds, numbers) and ast.unparse(seconds) != "0":
                yield f"{node.lineno}: waits {ast.unparse(seconds)} seconds"


def _durations(function: ast.AST) -> Iterator[str]:
    """Yield where the difference of two moments is compared, and where a moment is made later."""
    moments, lengths = {"moment()", "loop.time()", "asyncio.get_running_loop().time()"}, set[str]()
    for node in ast.walk(function):
        if isinstance(node, ast.Assign):
            words = {ast.unparse(one) for one in ast.walk(node.value) if isinstance(one, ast.Call | ast.Name)}
            differs = any(isinstance(one, ast.BinOp) and isinstance(one.op, ast.Sub) for one in ast.walk(node.value))
            if words & moments:
                (lengths if differs else moments).update(_names(node.targets))
    for node in ast.walk(function):
        sums = [node.value] if isinstance(node, ast.Assign) else []
        if any(isinstance(one, ast.BinOp) and isinstance(one.op, ast.Add) and _mentions(one, moments) for one in sums):
            yield f"{sums[0].lineno}: adds to a moment"
        if isinstance(node, ast.Compare):
            subtracts = any(isinstance(one, ast.BinOp) and _mentions(one, moments) for one in ast.walk(node))
            if subtracts or _mentions(node, lengths):
                yield f"{node.lineno}: compares how long something took"


def _mentions(node: ast.AST, names: set[str]) -> bool:
    return any(isinstance(one, ast.Call | ast.Name) and ast.unparse(one) in names for one in ast.walk(node))


def _names(targets: list[ast.expr]) -> set[str]:
    parts = [one for target in targets for one in (target.elts if isinstance(target, ast.Tuple) else [target])]
    return {one.id for one in parts if isinstance(one, ast.Name)}


def _is_number(node: ast.expr, numbers: set[str]) -> bool:
    if isinstance(node, ast.BinOp):
        return _is_number(node.left, numbers) and _is_number(node.right, numbers)
    if isinstance(node, ast.Name):
        return node.id in numbers
    return isinstance(node, ast.Constant) and type(node.value) in {int, float}


MODULES = [
    file for file in sorted(TESTS.rglob("*.py"))
    if "node_modules" not in file.parts and file != PATIENT and PLAYER not in file.parents
]  # fmt: skip


@pytest.mark.parametrize("file", MODULES, ids=lambda file: file.relative_to(TESTS).as_posix())
def test_a_module_holds_no_time_against_a_number(file: Path) -> None:
    assert faults_of(file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("source", "fault"),
    [
        ("began = time.monotonic()", "1: reads monotonic"),
        ("from time import perf_counter as now", ""),
        ("def f():\n    a = loop.time()\n    assert loop.time() - a < 5", "3: compares how long something took"),
        ("asyncio.timeout(5)", "1: waits 5 seconds"),
        ("httpx.get(url)", "1: gives no timeout to httpx.get"),
        ("httpx.get(url, timeout=PATIENCE)", ""),
        ("SOON = 2.5\nasyncio.wait_for(it, SOON)", "2: waits SOON seconds"),
        ("subprocess.run(words, timeout=2 * 30)", "1: waits 2 * 30 seconds"),
        ("pytest.mark.timeout(90)", "1: waits 90 seconds"),
        ("process.wait(1)", "1: waits 1 seconds"),
        ("peer.settimeout(0)", ""),
        ("subprocess.run(words, timeout=PATIENCE)", ""),
        ("def f():\n    began = moment()\n    assert moment() - began < 5", "3: compares how long something took"),
        ("def f():\n    a = moment()\n    b = moment() - a\n    assert b < 5", "4: compares how long something took"),
        ("def f():\n    end = moment() + 5", "2: adds to a moment"),
        ("def f():\n    a = moment()\n    told(moment() - a)\n    assert a > moment()", ""),
    ],
)
def test_the_rule_sees_what_it_forbids(source: str, fault: str) -> None:
    assert faults_of(source) == ([fault] if fault else [])
