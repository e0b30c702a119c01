"""Whether a subscriber's text asks for no more messages.

All of the text must be a word of the list, or such a word and the name of the service: "stop"
in a sentence is a sentence, and nobody is silenced for it.
"""

import unicodedata
from collections.abc import Iterable

LONGEST_STOP = 60
"""Characters; what is longer is a letter and not a word."""


class StopWords:
    """The words of all languages."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = frozenset(plain for word in words if (plain := plain_words(word)))

    def stops(self, text: str, names: Iterable[str] = ()) -> bool:
        """Tell whether the text asks to stop; `names` are those by which the subscriber may call the service."""
        if len(text) > LONGEST_STOP:
            return False
        plain = plain_words(text)
        if plain in self._words:
            return True
        services = {called for name in names if (called := plain_words(name))}
        return any(plain == f"{word} {service}" for service in services for word in self._words)


def plain_words(text: str) -> str:
    """Return the text without case, accents and the punctuation around its words, one blank between them."""
    # Twice: what a sign is made of may have a case, and what has no case may be made of signs.
    folded = unicodedata.normalize("NFKD", text).casefold()
    decomposed = unicodedata.normalize("NFKD", folded)
    letters = "".join(sign for sign in decomposed if not unicodedata.combining(sign))
    # A control or an invisible mark is no part of a word either.
    spaced = "".join(" " if unicodedata.category(sign)[0] in "ZC" else sign for sign in letters)
    return " ".join(word for piece in spaced.split() if (word := _bare(piece)))


def _bare(piece: str) -> str:
    start, end = 0, len(piece)
    while start < end and not piece[start].isalnum():
        start += 1
    while end > start and not piece[end - 1].isalnum():
        end -= 1
    return piece[start:end]
