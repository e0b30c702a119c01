"""The glossary is a table one can look a word up in."""

import re
from pathlib import Path

ROW = re.compile(r"^\| (?P<word>[^|]+) \| (?P<meaning>[^|]+) \|$", re.MULTILINE)
TEXT = (Path(__file__).parents[1] / "docs" / "reference" / "glossary.md").read_text()
WORDS = [row["word"].replace("_", " ").lower() for row in ROW.finditer(TEXT)][1:]


def test_every_line_of_the_table_is_a_word_and_its_meaning() -> None:
    table = [line for line in TEXT.splitlines() if line.startswith("|")]
    assert len(WORDS) == len(table) - 2  # less the head and the rule under it


def test_words_stand_in_alphabetic_order_and_once() -> None:
    assert sorted(set(WORDS)) == WORDS
