"""Reads the list of words that mean STOP, one line to a language (`data/stop_words.toml`)."""

import tomllib
from functools import cache
from importlib.resources import files

from esito.domain.stop_words import StopWords


@cache
def stop_words() -> StopWords:
    """Return the words of every language."""
    text = files("esito").joinpath("data", "stop_words.toml").read_text(encoding="utf-8")
    return StopWords(word for words in tomllib.loads(text).values() for word in words)
