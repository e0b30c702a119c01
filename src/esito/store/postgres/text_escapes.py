"""Texts that PostgreSQL cannot hold: U+0000 and halves of surrogate pairs. They are written as others and read back.

What is stored must read as it came, and an operator's text may hold anything. A rare character introduces each;
so does itself, wherever a text has it.
"""

import re

MARK = "\U0010fffd"
"""A private character that begins every substitute."""

_UNFIT = re.compile(f"[\x00\ud800-\udfff{MARK}]")
_SUBSTITUTE = re.compile(f"{MARK}([0-9a-f]{{6}})")


def fit(text: str) -> str:
    """Return the text as PostgreSQL takes it."""
    return _UNFIT.sub(lambda found: f"{MARK}{ord(found.group()):06x}", text)


def as_it_was(text: str) -> str:
    """Return a text that was written with `fit`."""
    return _SUBSTITUTE.sub(lambda found: chr(int(found.group(1), 16)), text)


def all_fit(texts: str) -> bool:
    """Tell whether a text, or many that were joined, can stay as they are."""
    return _UNFIT.search(texts) is None
