"""A process that a test began and did not end is found, whoever began it and whatever became of its parent."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.kit.left_over import NAME, left_over
from tests.kit.patience import PATIENCE, wait_until

ROOT = Path(__file__).parents[1]
SLEEP = "exec sleep 987654"


def sleepers() -> list[str]:
    """Return those that sleep; the shell that begins one names it too, for as long as it is there."""
    return [one for one in left_over() if one.endswith(": sleep 987654")]


@pytest.mark.parametrize("words", [SLEEP, f"{SLEEP} &"], ids=["a child", "one whose parent has ended"])
def test_what_survives_is_named_until_it_has_ended(words: str) -> None:
    begun = subprocess.Popen(["sh", "-c", words], start_new_session=True)
    (found,) = wait_until(sleepers)
    os.kill(int(found.partition(":")[0]), signal.SIGKILL)
    begun.wait(PATIENCE)
    wait_until(lambda: not sleepers())


def test_what_others_began_is_none_of_ours() -> None:
    begun = subprocess.Popen(["sleep", "987654"], env=os.environ | {NAME: "1"})
    try:
        assert sleepers() == []
    finally:
        begun.kill()
        begun.wait(PATIENCE)


LEAVES = """
import subprocess


def test_it_passes():
    subprocess.Popen(["sh", "-c", "exec sleep SECONDS &"], start_new_session=True)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("processes", "seconds", "code"), [("0", "987655", 1), ("2", "987655", 1), ("2", "0", 0)])
def test_a_run_fails_by_what_it_leaves(tmp_path: Path, processes: str, seconds: str, code: int) -> None:
    (tmp_path / "conftest.py").write_text("from tests.conftest import *\n", encoding="utf-8")
    (tmp_path / "test_it.py").write_text(LEAVES.replace("SECONDS", seconds), encoding="utf-8")
    words = ["pytest", "-q", "-c", os.devnull, "--rootdir", str(tmp_path), "-n", processes, str(tmp_path)]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "ESITO_TEST_PATIENCE": "5"}
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False,
        timeout=PATIENCE,
    )  # fmt: skip
    left = re.findall(r"^(\d+): sleep 987655$", done.stdout, re.MULTILINE)
    for one in left:
        os.kill(int(one), signal.SIGKILL)
    assert (done.returncode, len(left)) == (code, code), done.stdout + done.stderr
