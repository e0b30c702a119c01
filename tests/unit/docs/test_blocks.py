"""Every code block of README, tutorial and guides is run by a test, or says to its reader why not.

Here are the blocks that need nothing but Python; those of a terminal are run by `tests/flows/test_documents.py`.
"""

import subprocess
from pathlib import Path

import pytest

from esito.app.link_factory import outgoing_settings, smpp_settings
from esito.config import load
from esito.simulator.script import load_script
from tests.kit.console import keys_among, steps_of
from tests.kit.documents import ROOT, Block, blocks_of
from tests.kit.runnable import KINDS, RUNNABLE, named_file

BLOCKS = [block for page in RUNNABLE for block in blocks_of(page) if not block.excuse]
KEY = "0123456789abcdef0123456789abcdef01234567"


def of_kind(language: str) -> list[Block]:
    return [block for block in BLOCKS if block.language == language]


@pytest.mark.parametrize("page", RUNNABLE, ids=str)
def test_every_block_is_of_a_kind_that_runs_or_says_why_it_does_not(page: Path) -> None:
    assert [str(block) for block in blocks_of(page) if not block.excuse and block.language not in KINDS] == []


@pytest.mark.parametrize("block", of_kind("console"), ids=str)
def test_every_console_block_begins_with_a_command(block: Block) -> None:
    assert steps_of(block.text)


@pytest.mark.parametrize("block", of_kind("toml"), ids=str)
def test_every_block_of_settings_can_be_used(block: Block, tmp_path: Path) -> None:
    path = tmp_path / "esito.toml"
    path.write_text(block.text)
    if named_file(block).endswith("smsc.toml"):
        load_script(path)
        return
    for link in load(path, {}).links:
        smpp_settings(link)
        outgoing_settings(link)


@pytest.mark.parametrize("block", of_kind("diff"), ids=str)
def test_the_changes_of_a_guide_fit_the_code(block: Block) -> None:
    fits = ["git", "apply", "--check", "--whitespace=nowarn", "-"]
    done = subprocess.run(fits, cwd=ROOT, input=block.text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        (["Message 2: 3 segments, 0.135 EUR"], "Message 2: 3 segments, 0.120 EUR\n"),
        (["bound after 11 ms under the id 2ac2dee"], "bound after 7 ms under the id 99abc01\n"),
        (["one", "...", "four"], "one\ntwo\nthree\nfour\n"),
        (["│ +33612340001 │ Delivered │"], "┏━━━┓\n│ +33612340001 │    Delivered    │\n"),
    ],
)
def test_what_is_printed_may_differ_in_numbers_and_blanks(shown: list[str], printed: str) -> None:
    assert keys_among(tuple(shown), printed) == {}


@pytest.mark.parametrize(
    ("shown", "printed"),
    [(["Delivered"], "Not delivered\n"), (["to +33612340001"], "to +33612340002\n"), (["1 Waiting"], "2 Waiting\n")],
)
def test_what_is_printed_may_differ_in_nothing_else(shown: list[str], printed: str) -> None:
    assert keys_among(tuple(shown), printed) is None


def test_a_key_that_is_shown_stands_for_the_one_that_is_printed() -> None:
    assert keys_among(("key", f"  {KEY}"), f"key\n  {KEY[::-1]}\n") == {KEY: KEY[::-1]}
