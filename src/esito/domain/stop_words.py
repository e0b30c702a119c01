"""Whether a subscriber's text asks for no more messages.

All of the text must be a word of the list, or such a word and the name or number of the service
("STOP au 36 111"), and words of courtesy: "stop" in a sentence is a sentence, and nobody is
silenced for it.
"""

import unicodedata
from collections.abc import Collection, Iterable

LONGEST_STOP = 60
"""Characters; what is longer is a letter and not a word."""


_TOWARDS = frozenset({"au", "aux", "a", "to", "at", "an", "al", "alla", "aan", "til", "till", "do"})
"""What may stand between the word and the service."""

_COURTESY = tuple(
    sorted(
        (
            *("svp", "s v p", "s.v.p", "stp", "s'il vous plait", "s\u2019il vous plait", "sil vous plait", "merci"),
            *("merci d'avance", "merci d\u2019avance", "please", "pls", "plz", "thanks", "thank you", "thx"),
            *("bitte", "danke", "grazie", "per favore", "prego", "por favor", "gracias", "obrigado", "obrigada"),
            *("alsjeblieft", "alstublieft", "bedankt", "dank u", "tak", "tack", "kiitos", "prosze", "dziekuje"),
        ),
        key=len,
        reverse=True,
    )
)
"""What may stand before or behind all of it, the longest first."""


class StopWords:
    """The words of all languages."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = frozenset(plain for word in words if (plain := plain_words(word)))

    def stops(self, text: str, names: Iterable[str] = ()) -> bool:
        """Tell whether the text asks to stop; `names` are those by which the subscriber may call the service."""
        if len(text) > LONGEST_STOP:
            return False
        plain = _without_courtesy(plain_words(text))
        if plain in self._words:
            return True
        services = {_joined(called) for name in names if (called := plain_words(name))}
        return any(
            _is_called(rest, services)
            for word in self._words
            if plain.startswith(word)
            for rest in _named_behind(plain[len(word) :])
        )


def _without_courtesy(plain: str) -> str:
    """Return plain words without those of courtesy before and behind them."""
    before = ""
    while plain != before:
        before = plain
        for words in _COURTESY:
            plain = plain.removeprefix(f"{words} ").removesuffix(f" {words}")
    return plain


def _named_behind(rest: str) -> list[str]:
    """Return what a word that stops may be followed by; without a blank between them it must be a number."""
    if rest.startswith(" "):
        return _behind(rest[1:])
    return [rest] if _digits(rest) else []


def _is_called(rest: str, services: Collection[str]) -> bool:
    """Tell whether this is the name of a service, or its number in whatever form it is dialled."""
    digits = _digits(rest).removeprefix("00")
    if not digits:
        return rest in services
    at_home = digits[1:] if digits.startswith("0") and len(digits) > _SHORTEST_AT_HOME else ""
    return any(one == digits or (at_home and one.isdecimal() and one.endswith(at_home)) for one in services)


_SHORTEST_AT_HOME = 8
"""Digits of a number with its trunk zero, at least."""


def _digits(name: str) -> str:
    """Return the digits of a number, whatever stands between them; empty for what is none."""
    digits = "".join(sign for sign in name if sign.isdecimal())
    return digits if digits and not any(sign.isalpha() for sign in name) else ""


def _behind(rest: str) -> list[str]:
    """Return what stands behind a word that stops, as it is and without `au` and its like."""
    first, _, others = rest.partition(" ")
    return [rest, others] if first in _TOWARDS else [rest]


def _joined(name: str) -> str:
    """Return a number without the blanks in it; a name stays as it is."""
    return _digits(name) or name


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
