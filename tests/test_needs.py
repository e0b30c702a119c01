"""A test that could not run is named; in CI it is a failure."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.kit.needs import needs

ROOT = Path(__file__).parents[1]
PROGRAM = """
import pytest
from tests.kit.needs import stop_without

try:
    stop_without(NAMES)
except pytest.skip.Exception as outcome:
    print("skipped:", outcome)
except pytest.fail.Exception as outcome:
    print("failed:", outcome)
else:
    print("ran")
"""


def outcome_on_a_machine_without_programs(folder: Path, *, ci: str, names: tuple[str, ...] = ("php", "node")) -> str:
    program = PROGRAM.replace("NAMES", repr(names))
    environment = {"PATH": str(folder), "PYTHONPATH": str(ROOT), "CI": ci}
    done = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    return done.stdout


def test_a_missing_program_skips_the_test_and_is_named(tmp_path: Path) -> None:
    assert outcome_on_a_machine_without_programs(tmp_path, ci="").startswith("skipped: needs php, node")


def test_a_missing_program_fails_the_test_in_ci(tmp_path: Path) -> None:
    assert outcome_on_a_machine_without_programs(tmp_path, ci="true").startswith("failed: needs php, node")


def test_what_the_machine_forbids_is_named_and_fails_nothing(tmp_path: Path) -> None:
    said = outcome_on_a_machine_without_programs(tmp_path, ci="true", names=("mounts", "strace"))
    assert said == "skipped: this machine forbids mounts; this machine forbids tracing\n"


def test_a_program_that_is_there_lets_the_test_run(tmp_path: Path) -> None:
    for name in ("php", "node"):
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    assert outcome_on_a_machine_without_programs(tmp_path, ci="true") == "ran\n"


def test_a_need_that_nobody_provides_is_refused_when_it_is_written() -> None:
    with pytest.raises(KeyError, match="fax machine"):
        needs("fax machine")
