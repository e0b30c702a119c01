"""Every path, symbol, command and target that a document names exists."""

import re
from pathlib import Path

import pytest

from esito.cli.main import COMMANDS
from tests.kit.documents import ROOT, blocks_of, documents, prose_of
from tests.kit.symbols import is_defined, is_path, is_symbol

CODE = re.compile(r"`([^`\n]+)`")
STEP = re.compile(r"^ *(?P<path>[\w/]+\.py) +(?P<names>[\w.]+(?:, [\w.]+)*)(?: {2,}|$)", re.MULTILINE)
"""A line of a diagram: a file below src/esito, names that it defines, what they do."""

ARCHITECTURE = Path("docs/explanation/architecture.md")
FOR_CONTRIBUTORS = [
    path
    for path in documents()
    if path.name in {"CONTRIBUTING.md", "architecture.md"}
    or path.parent.name == "decisions"
    or path.match("howto/add-*")
]
"""Documents that speak of the code, in which a dotted or capitalised name is a symbol."""


@pytest.mark.parametrize("document", documents(), ids=str)
def test_every_path_that_a_document_names_exists(document: Path) -> None:
    assert [name for name in CODE.findall(prose_of(document)) if is_path(name) is False] == []


@pytest.mark.parametrize("document", FOR_CONTRIBUTORS, ids=str)
def test_every_path_for_contributors_is_one_of_ours(document: Path) -> None:
    assert [name for name in CODE.findall(prose_of(document)) if is_path(name, strictly=True) is False] == []


def test_the_architecture_names_every_package_and_no_other() -> None:
    table = prose_of(ARCHITECTURE).partition("## What is where")[2]
    named = set(re.findall(r"^\| `(\w+)/` \|", table, re.MULTILINE))
    assert named == {path.parent.name for path in (ROOT / "src/esito").glob("*/__init__.py")}


@pytest.mark.parametrize("document", documents(), ids=str)
def test_every_command_and_target_that_a_document_names_exists(document: Path) -> None:
    named = CODE.findall(prose_of(document))
    commands = {word for name in named for word in re.findall(r"^esito ([a-z]+)", name)}
    targets = {word for name in named for word in re.findall(r"^make ([a-z]+)", name)}
    assert commands <= set(COMMANDS)
    assert targets <= set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


@pytest.mark.parametrize("document", FOR_CONTRIBUTORS, ids=str)
def test_every_symbol_that_a_document_names_exists(document: Path) -> None:
    assert [name for name in CODE.findall(prose_of(document)) if is_symbol(name) is False] == []


def test_every_step_of_the_paths_through_the_code_exists() -> None:
    steps = [step for block in blocks_of(ARCHITECTURE) for step in STEP.finditer(block.text)]
    assert len(steps) > 30
    lost = [
        f"{step['path']} defines no {name}"
        for step in steps
        for name in step["names"].split(", ")
        if not is_defined(name, ROOT / "src/esito" / step["path"])
    ]
    assert lost == []
