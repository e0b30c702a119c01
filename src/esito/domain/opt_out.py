"""STOP: the mention that says how to stop such messages (` STOP au 36111`), and the texts that ask for it.

The mention names the number that the message comes from, as that is what a subscriber answers. A text under a name
cannot be answered: it names the number at which its link takes a STOP. The link is final only when the text leaves, so
the number is written again then, without a change of the price.

A text asks to stop if all of it is a word of the list, or such a word and the name or number of the service
("STOP au 36 111"), and words of courtesy. "stop" within a sentence silences nobody.
"""

import unicodedata
from collections.abc import Collection, Iterable
from functools import lru_cache

from esito.domain.address import AddressKind, kind_of
from esito.domain.text import count_segments, prepare

# -- the mention -------------------------------------------------------------------------------

STOP_NUMBER = "36111"
"""The number in the mention if no setting names another one."""

_WORDS = " STOP au "


def mention(number: str) -> str:
    """Return what is appended to a text."""
    return f"{_WORDS}{number}"


def stop_number_of_link(*, sender: str, stop_number: str) -> str:
    """Return the number at which a link takes a STOP, from its settings."""
    return dialled(stop_number or (sender if is_number(sender) else STOP_NUMBER))


def number_named(sender: str, of_link: str) -> str:
    """Return the number in a message's mention: its sender, unless that is a name or empty; then the link's number."""
    return dialled(sender) if is_number(sender) else of_link


def is_number(address: str) -> bool:
    """Tell whether an address can be answered."""
    return kind_of(address) not in {None, AddressKind.ALPHANUMERIC}


def dialled(number: str) -> str:
    """Return a number as a handset dials it: an international one with its plus."""
    bare = kind_of(number) is AddressKind.INTERNATIONAL and not number.startswith(("+", "00"))
    return f"+{number}" if bare else number


@lru_cache(maxsize=1024)
def renamed(text: str, before: str, number: str, *, unicode: bool) -> str:
    """Return a text whose mention names `number` instead of `before`, in as many segments.

    If a shorter number would save a segment, blanks before the mention fill it. If a longer one would need one more
    segment, the text stays as it is: it names the link that it was accepted for, which still takes the STOP.
    """
    body = text.removesuffix(mention(before))
    if number == before or body == text:
        return text
    segments = count_segments(prepare(text, unicode=unicode))
    spare = max(0, len(before) - len(number))
    for blanks in dict.fromkeys((0, spare)):
        other = body + " " * blanks + mention(number)
        if count_segments(prepare(other, unicode=unicode)) == segments:
            return other
    return text


# -- texts that ask to stop ---------------------------------------------------------------------

LONGEST_STOP = 60
"""Characters of a text that may ask to stop; a longer one is a letter."""

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
"""What may stand before or after all of it, the longest first."""


class StopWords:
    """The words that mean STOP, in all languages."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = frozenset(plain for word in words if (plain := plain_words(word)))

    def stops(self, text: str, names: Iterable[str] = ()) -> bool:
        """Tell whether the text asks to stop; `names`: what the subscriber may call the service."""
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
            for rest in _rests(plain[len(word) :])
        )


def _without_courtesy(plain: str) -> str:
    """Return plain words without those of courtesy before and after them."""
    before = ""
    while plain != before:
        before = plain
        for words in _COURTESY:
            plain = plain.removeprefix(f"{words} ").removesuffix(f" {words}")
    return plain


def _rests(rest: str) -> list[str]:
    """Return what may name the service after a word; without a blank between them it must be a number."""
    if rest.startswith(" "):
        return _without_towards(rest[1:])
    return [rest] if _digits(rest) else []


def _without_towards(rest: str) -> list[str]:
    """Return a rest as it is, and without `au` and the like."""
    first, _, others = rest.partition(" ")
    return [rest, others] if first in _TOWARDS else [rest]


def _is_called(rest: str, services: Collection[str]) -> bool:
    """Tell whether this is the name of a service, or its number in whatever form it is dialled."""
    digits = _digits(rest).removeprefix("00")
    if not digits:
        return rest in services
    at_home = digits[1:] if digits.startswith("0") and len(digits) > _SHORTEST_AT_HOME else ""
    return any(one == digits or (at_home and one.isdecimal() and one.endswith(at_home)) for one in services)


_SHORTEST_AT_HOME = 8
"""A number with its trunk zero has more digits than this."""


def _digits(name: str) -> str:
    """Return the digits of a number, whatever stands between them; empty if it is no number."""
    digits = "".join(sign for sign in name if sign.isdecimal())
    return digits if digits and not any(sign.isalpha() for sign in name) else ""


def _joined(name: str) -> str:
    """Return a number without the blanks in it; a name stays as it is."""
    return _digits(name) or name


def plain_words(text: str) -> str:
    """Return the text without case, accents and the punctuation around its words, one blank between them."""
    # Twice: a compatibility character may decompose into one with a case, and a folded one may decompose again.
    folded = unicodedata.normalize("NFKD", text).casefold()
    decomposed = unicodedata.normalize("NFKD", folded)
    letters = "".join(sign for sign in decomposed if not unicodedata.combining(sign))
    # Controls and invisible marks separate words.
    spaced = "".join(" " if unicodedata.category(sign)[0] in "ZC" else sign for sign in letters)
    return " ".join(word for piece in spaced.split() if (word := _bare(piece)))


def _bare(piece: str) -> str:
    start, end = 0, len(piece)
    while start < end and not piece[start].isalnum():
        start += 1
    while end > start and not piece[end - 1].isalnum():
        end -= 1
    return piece[start:end]
