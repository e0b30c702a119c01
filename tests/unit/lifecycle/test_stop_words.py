"""The list of STOP words as it comes with Esito."""

import re
import tomllib
from importlib.resources import files
from pathlib import Path

from esito.domain.opt_out import LONGEST_STOP, plain_words
from esito.lifecycle.receive import stop_words

LISTED = tomllib.loads(files("esito").joinpath("data", "stop_words.toml").read_text(encoding="utf-8"))
DOCS = Path(__file__).parents[3] / "docs" / "reference" / "replies.md"


def test_every_word_is_written_the_plain_way_once_and_stops() -> None:
    words = [word for of_language in LISTED.values() for word in of_language]
    assert [word for word in words if plain_words(word) != word or len(word) > LONGEST_STOP] == []
    assert sorted(set(words)) == sorted(words)
    assert [word for word in words if not stop_words().stops(word.upper())] == []


def test_the_documentation_lists_the_words() -> None:
    rows = re.findall(r"^\| (\w{2,3}) \| (.+) \|$", DOCS.read_text(encoding="utf-8"), re.MULTILINE)
    assert {language: words.split(", ") for language, words in rows} == LISTED
