"""A few seconds of coverage-guided fuzzing per target; `make fuzz` goes on for minutes."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.properties import TARGETS
from tests.kit.needs import needs

SCRIPT = Path(__file__).parents[2] / "scripts" / "fuzz.py"
SECONDS = 6


@needs("atheris")
@pytest.mark.parametrize("name", TARGETS)
def test_no_octets_break_a_property(name: str, tmp_path: Path) -> None:
    words = [sys.executable, str(SCRIPT), name, "--seconds", str(SECONDS), "--crashes", str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, cwd=tmp_path)
    broken = {path.name: path.read_bytes() for path in tmp_path.glob("fuzz-*")}
    assert (done.returncode, broken) == (0, {}), done.stderr[-3000:]
    tried = re.search(r"stat::number_of_executed_units: (\d+)", done.stderr)
    assert tried is not None, done.stderr[-1000:]
    assert int(tried[1]) > 1000
