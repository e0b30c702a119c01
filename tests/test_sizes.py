"""A file is read in one sitting, or says at its top why it cannot be."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LONGEST = 400


def is_readable(text: str) -> bool:
    """Return whether a file is short enough, or opens with a line that starts with "Long because"."""
    if len(text.splitlines()) <= LONGEST:
        return True
    opening = ast.get_docstring(ast.parse(text)) or ""
    return any(line.startswith("Long because") for line in opening.splitlines())


@pytest.mark.parametrize("room", ["src", "tests", "benchmarks", "scripts", "tools"])
def test_a_long_file_says_why(room: str) -> None:
    too_long = [path for path in sorted((ROOT / room).rglob("*.py")) if not is_readable(path.read_text())]
    assert [str(path.relative_to(ROOT)) for path in too_long] == []


def test_four_hundred_lines_are_allowed_and_one_more_needs_its_reason() -> None:
    assert is_readable("x = 1\n" * 400)
    assert not is_readable("x = 1\n" * 401)
    assert not is_readable('"""A table."""\n' + "# Long because\n" * 400)
    assert is_readable('"""A table.\n\nLong because it is one.\n"""\n' + "x = 1\n" * 400)
