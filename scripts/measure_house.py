#!/usr/bin/env python3
"""The source in figures, as a Markdown table: `scripts/measure-house`.

With a path it measures another tree, with two it sets one beside the other. What is counted:

- A function is everything after `def`, methods and nested functions too; its lines go from `def` to its last line.
- A parameter is whatever a caller may give; `self` and `cls` are not.
- `Any` is each mention in code, imports aside; a cast is each call of `cast`.
- A SQL statement opens with `-- name:`. It has two texts when its name stands in two files.
- A module's stem is its file's name; `__init__` and `__main__` are left out.
- Public is what has no leading underscore and does not stand in a function.
"""

from __future__ import annotations

import argparse
import ast
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[1]

LONG_FUNCTION = 40
MANY_PARAMETERS = 5
MANY_METHODS = 12
SHORT_FILE = 40

_STATEMENT = re.compile(r"^-- name: (\w+)\s*$", re.MULTILINE)

FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef
Documented = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """What was counted in one file."""

    folder: str
    """The folder of the package it stands in; empty for a module that stands in the package itself."""
    stem: str
    lines: int
    functions: tuple[int, ...]
    """Lines of each."""
    parameters: tuple[int, ...]
    """Of each function."""
    methods: tuple[int, ...]
    """Of each class."""
    classes: tuple[str, ...]
    """Public names."""
    undocumented: tuple[str, ...]
    """Public functions and classes."""
    anys: int
    casts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """What was counted in a tree."""

    modules: tuple[Module, ...]
    statements: Counter[str]
    """In how many files each SQL statement stands."""


# -- counting -----------------------------------------------------------------------------------


def measure(place: Path) -> House:
    """Count what stands in a folder, or in its `src` where it has one. Raises FileNotFoundError for no Python files."""
    source = place / "src" if (place / "src").is_dir() else place
    paths = sorted(source.rglob("*.py"))
    if not paths:
        raise FileNotFoundError(f"{place}: no Python files")
    return House(
        modules=tuple(module_of(path.relative_to(source), path.read_text(encoding="utf-8")) for path in paths),
        statements=statements_of(path.read_text(encoding="utf-8") for path in sorted(source.rglob("*.sql"))),
    )


def module_of(path: Path, text: str) -> Module:
    """Count what stands in one file; `path` begins with the package: `esito/store/engine.py`."""
    tree = ast.parse(text, filename=str(path))
    nodes = list(ast.walk(tree))
    functions = [node for node in nodes if isinstance(node, FunctionNode)]
    methods = {id(node): is_method for node, is_method in _with_place(tree)}
    return Module(
        folder=path.parts[1] if len(path.parts) > 2 else "",
        stem=path.stem,
        lines=len(text.splitlines()),
        functions=tuple((node.end_lineno or node.lineno) - node.lineno + 1 for node in functions),
        parameters=tuple(parameters_of(node, is_method=methods[id(node)]) for node in functions),
        methods=tuple(len(methods_of(node)) for node in nodes if isinstance(node, ast.ClassDef)),
        classes=tuple(node.name for _, node in public_in(tree) if isinstance(node, ast.ClassDef)),
        undocumented=tuple(name for name, node in public_in(tree) if ast.get_docstring(node) is None),
        anys=sum(map(_anys, nodes)),
        casts=sum(_is_cast(node) for node in nodes),
    )


def statements_of(texts: Iterable[str]) -> Counter[str]:
    """Count in how many of these files each named SQL statement stands."""
    return Counter(name for text in texts for name in set(_STATEMENT.findall(text)))


def _with_place(tree: ast.AST) -> Iterator[tuple[FunctionNode, bool]]:
    """Yield each function, and whether it stands in a class."""
    for node in ast.walk(tree):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, FunctionNode):
                yield child, isinstance(node, ast.ClassDef)


def parameters_of(node: FunctionNode, *, is_method: bool) -> int:
    """Return how many parameters a caller may give."""
    given = node.args
    count = len(given.posonlyargs) + len(given.args) + len(given.kwonlyargs)
    count += (given.vararg is not None) + (given.kwarg is not None)
    return count - (is_method and not _has(node, "staticmethod"))


def methods_of(node: ast.ClassDef) -> set[str]:
    """Return the names of a class's methods; a property and its setter are one."""
    return {child.name for child in node.body if isinstance(child, FunctionNode)}


def public_in(scope: ast.Module | ast.ClassDef) -> Iterator[tuple[str, Documented]]:
    """Yield the public functions and classes with their names, `Class.method`; a function's own are not public."""
    for node in scope.body:
        if not isinstance(node, Documented) or node.name.startswith("_") or _says_nothing_new(node):
            continue
        yield node.name, node
        if isinstance(node, ast.ClassDef):
            yield from ((f"{node.name}.{name}", inner) for name, inner in public_in(node))


def _says_nothing_new(node: Documented) -> bool:
    return _has(node, "overload") or _has(node, "setter")


def _has(node: Documented, decorator: str) -> bool:
    return any(ast.unparse(one).rpartition(".")[2] == decorator for one in node.decorator_list)


def _anys(node: ast.AST) -> int:
    """Return how many times a node says Any itself, between quotes too."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return _anys_in_quotes(node.value)
    return (isinstance(node, ast.Name) and node.id == "Any") or (
        isinstance(node, ast.Attribute) and node.attr == "Any" and ast.unparse(node.value) == "typing"
    )


def _anys_in_quotes(text: str) -> int:
    # A type between quotes is an expression in one line; a sentence with this word is none.
    if "Any" not in text or "\n" in text:
        return 0
    try:
        return sum(map(_anys, ast.walk(ast.parse(text, mode="eval"))))
    except SyntaxError:
        return 0


def _is_cast(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) in {"cast", "typing.cast"}


# -- figures ------------------------------------------------------------------------------------


def figures(house: House) -> dict[str, str]:
    """Return the rows of the table: what is counted, and its figure."""
    files = [one.lines for one in house.modules]
    functions = _all(house, lambda one: one.functions)
    return {
        "files": str(len(files)),
        "lines": str(sum(files)),
        "lines of a file: median / 95 % / most": _spread(files),
        f"files under {SHORT_FILE} lines": str(sum(lines < SHORT_FILE for lines in files)),
        "functions": str(len(functions)),
        "lines of a function: median / 95 % / most": _spread(functions),
        f"functions over {LONG_FUNCTION} lines": _over(functions, LONG_FUNCTION),
        f"functions with over {MANY_PARAMETERS} parameters": _over(
            _all(house, lambda one: one.parameters), MANY_PARAMETERS
        ),
        f"classes over {MANY_METHODS} methods": _over(_all(house, lambda one: one.methods), MANY_METHODS),
        "`Any`": str(sum(one.anys for one in house.modules)),
        "casts": str(sum(one.casts for one in house.modules)),
        "SQL statements by name": str(len(house.statements)),
        "SQL statements with two texts": str(len(doubles(house.statements))),
        "module stems that occur more than once": str(len(doubles(stems(house)))),
        "public class names that occur more than once": str(len(doubles(class_names(house)))),
        "undocumented public functions and classes": str(sum(len(one.undocumented) for one in house.modules)),
    }


def stems(house: House) -> Counter[str]:
    """Return how often each module stem occurs."""
    return Counter(one.stem for one in house.modules if one.stem not in {"__init__", "__main__"})


def class_names(house: House) -> Counter[str]:
    """Return how often each public class name occurs."""
    return Counter(name for one in house.modules for name in one.classes)


def doubles(names: Counter[str]) -> dict[str, int]:
    """Return the names that occur more than once, the most frequent first."""
    return {name: count for name, count in sorted(names.items(), key=lambda one: (-one[1], one[0])) if count > 1}


def untyped(house: House) -> dict[str, tuple[int, int]]:
    """Return how many `Any` and how many casts each folder has; those with neither are left out."""
    found = {}
    for folder in sorted({one.folder for one in house.modules}):
        there = [one for one in house.modules if one.folder == folder]
        counted = sum(one.anys for one in there), sum(one.casts for one in there)
        if any(counted):
            found[folder or "modules of the package"] = counted
    return found


def _all(house: House, pick: Callable[[Module], tuple[int, ...]]) -> list[int]:
    return [count for one in house.modules for count in pick(one)]


def _over(counts: Iterable[int], limit: int) -> str:
    return str(sum(count > limit for count in counts))


def _spread(counts: Sequence[int]) -> str:
    if not counts:
        return "-"
    ordered = sorted(counts)
    return f"{median(ordered):g} / {ordered[min(len(ordered) - 1, len(ordered) * 95 // 100)]} / {ordered[-1]}"


# -- printing -----------------------------------------------------------------------------------


def report(houses: dict[str, House]) -> str:
    """Return the tables of one tree or of several side by side; `houses` by the heads of their columns."""
    rows = [figures(house) for house in houses.values()]
    parts = [_table(["", *houses], [[what, *(row[what] for row in rows)] for what in rows[0]])]
    by_folder = [untyped(house) for house in houses.values()]
    folders = sorted({folder for one in by_folder for folder in one})
    heads = ["`Any` / casts in", *houses]
    parts.append(
        _table(heads, [[folder, *(_pair(one.get(folder, (0, 0))) for one in by_folder)] for folder in folders])
    )
    for title, count in (("Module stems", stems), ("Public class names", class_names)):
        for head, house in houses.items():
            found = ", ".join(f"{name} ({times})" for name, times in doubles(count(house)).items()) or "none"
            parts.append(f"{title} that occur more than once, {head}: {found}.\n")
    return "\n".join(parts)


def _pair(counts: tuple[int, int]) -> str:
    return " / ".join(map(str, counts))


def _table(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def main(words: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description="Print the source in figures, as Markdown.")
    parser.add_argument("path", nargs="*", type=Path, help="a tree, or two: before and after; else this one")
    paths: list[Path] = parser.parse_args(words).path or [ROOT]
    if len(paths) > 2:
        parser.error("two trees can be compared, no more")
    heads = ["before", "after"] if len(paths) == 2 else ["now"]
    print(report({head: measure(path) for head, path in zip(heads, paths, strict=True)}), end="")


if __name__ == "__main__":
    main()
