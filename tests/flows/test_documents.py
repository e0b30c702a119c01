"""README, tutorial and guides do what they say: their blocks are run from the first to the last, each page in a folder.

A page whose blocks change the code works on a copy of the checkout, every other one beside it. Files come from the
page too: a block of TOML that begins with `# name.toml` is that file.
"""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.kit.console import Step, steps_of
from tests.kit.documents import ROOT, Block, blocks_of
from tests.kit.needs import needs
from tests.kit.runnable import RUNNABLE, named_file
from tests.kit.terminal import Terminal

COPIED = ("src", "tests", "docs", "benchmarks")
CONSOLE = [
    page for page in RUNNABLE if any(not block.excuse for block in blocks_of(page) if block.language == "console")
]


@pytest.mark.slow
@needs("curl")
@pytest.mark.parametrize("page", CONSOLE, ids=str)
def test_the_blocks_of_a_page_can_be_run_from_the_first_to_the_last(page: Path, tmp_path: Path) -> None:
    folder = tmp_path / "here"
    blocks = [block for block in blocks_of(page) if not block.excuse]
    _furnish(folder, copied=any(block.language == "diff" for block in blocks))
    with Terminal(folder, PYTHONPATH=str(folder / "src")) as terminal:
        for block in blocks:
            _run(block, terminal)


def _furnish(folder: Path, *, copied: bool) -> None:
    """Make a folder look like a checkout."""
    folder.mkdir()
    for path in ROOT.iterdir():
        if copied and path.name in COPIED:
            shutil.copytree(path, folder / path.name, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
        elif copied and path.is_file():
            shutil.copy(path, folder)
        elif path.name not in {".git", "var"} and not path.name.endswith("_cache"):
            (folder / path.name).symlink_to(path)


def _run(block: Block, terminal: Terminal) -> None:
    if block.language == "console":
        for step in steps_of(block.text):
            terminal.run(step)
    elif block.language == "diff":
        applied = ["git", "apply", "--whitespace=nowarn", "-"]
        subprocess.run(applied, cwd=terminal.folder, input=block.text, text=True, check=True)
    elif block.language == "python":
        (terminal.folder / "example.py").write_text(block.text)
        terminal.run(Step(command="python example.py", shown=()))
    elif name := named_file(block):
        (terminal.folder / name).write_text(terminal.as_here(block.text))


def test_a_terminal_keeps_its_variables_and_its_folder(tmp_path: Path) -> None:
    (tmp_path / "here" / "below").mkdir(parents=True)
    with Terminal(tmp_path / "here") as terminal:
        for step in steps_of("$ export WHO=Ada\n$ cd below\n$ echo $WHO in $(basename $PWD)\nAda in below\n"):
            terminal.run(step)


@pytest.mark.parametrize("text", ["$ echo one\ntwo\n", "$ false\n", "$ echo 1  # exits with 1\n1\n"])
def test_a_command_that_does_something_else_than_its_page_shows_fails(text: str, tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    with Terminal(tmp_path / "here") as terminal, pytest.raises(AssertionError, match="exit status"):
        terminal.run(steps_of(text)[0])
