"""What the code defines, read from its syntax trees: for documents that speak of it."""

import ast
import re
from functools import cache
from pathlib import Path

from esito.config import Settings
from tests.kit.documents import ROOT

PACKAGE = ROOT / "src" / "esito"
PATH = re.compile(r"[\w.-]+(?:/[\w.*-]+)*/(?:[\w.*-]+)?|[\w-]+\.(?:py|sql|md)")
DOTTED = re.compile(r"(?P<module>[a-z_]\w*)\.(?P<name>[A-Za-z_][\w.]*)(?:\(\))?")
CLASS = re.compile(r"(?:[A-Z][a-z0-9]+){2,}")


def is_path(name: str, *, strictly: bool = False) -> bool | None:
    """Return whether a path exists below the root or the package; None for what is no path.

    Nor is it one of ours when its first folder is none of ours; `strictly`: it is, and does not exist.
    """
    if not PATH.fullmatch(name):
        return None
    first, slash, _ = name.partition("/")
    if not slash:
        return name in _file_names()
    if not any((base / first).exists() for base in (ROOT, PACKAGE)):
        return False if strictly else None
    return any(list(base.glob(name.rstrip("/") + end)) for base in (ROOT, PACKAGE) for end in ("", ".py"))


def is_symbol(name: str) -> bool | None:
    """Return whether `module.name`, `package.name` or `ClassName` is defined; None for what is no such name."""
    if CLASS.fullmatch(name):
        return name in _classes()
    found = DOTTED.fullmatch(name)
    if found is None:
        return None
    files = _files_of(found["module"])
    if not files:
        return None
    return name in _settings() or any(found["name"] in names_of(path) for path in files)


def is_defined(name: str, path: Path) -> bool:
    """Return whether a file defines a function, class or `Class.method` of this name."""
    return path.exists() and name in names_of(path)


@cache
def names_of(path: Path) -> frozenset[str]:
    """Return what a file defines, and what its classes do, under both `Class.method` and `method`."""
    found = set[str]()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        found |= _named(node)
        if isinstance(node, ast.ClassDef):
            members = {name for member in node.body for name in _named(member)}
            found |= members | {f"{node.name}.{member}" for member in members}
    return frozenset(found)


def _named(node: ast.stmt) -> set[str]:
    match node:
        case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
            return {node.name}
        case ast.Assign():
            return {target.id for target in node.targets if isinstance(target, ast.Name)}
        case ast.AnnAssign(target=ast.Name(id=name)):
            return {name}
    return set()


@cache
def _files_of(module: str) -> tuple[Path, ...]:
    """Return the files of a module or package of ours by its last name."""
    return tuple(
        path
        for path in PACKAGE.rglob("*.py")
        if path.stem == module or module in path.relative_to(PACKAGE).parent.parts
    )


@cache
def _file_names() -> frozenset[str]:
    return frozenset(
        path.name for room in ("src", "tests", "benchmarks", "scripts", "docs") for path in (ROOT / room).rglob("*.*")
    ) | {path.name for path in ROOT.iterdir()}


@cache
def _classes() -> frozenset[str]:
    found = (
        re.findall(r"^class (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE) for path in PACKAGE.rglob("*.py")
    )
    return frozenset(name for names in found for name in names)


@cache
def _settings() -> frozenset[str]:
    return frozenset(f"{row.section.strip('[]')}.{row.name}" for row in Settings.help_table())
