"""Finds the fields in the text of a receipt: those of SMPP 3.4, appendix B, in the ways that operators write them.

Three attempts, each only if the one before left something open: the exact text of appendix B; names with a colon, in
any order and under any name of the table; names without a colon, and values without a name. Every attempt passes over
the text a fixed number of times, whatever it contains.
"""

import re
from collections.abc import Callable, Container, Mapping
from typing import NamedTuple

from esito.domain.message_ids import spelling
from esito.domain.states import STAT_WORDS

ID, SUBMITTED, DONE, STAT, ERR = "id", "submit date", "done date", "stat", "err"

NAMES: Mapping[str, str] = {
    ID: ID,
    SUBMITTED: SUBMITTED,
    DONE: DONE,
    STAT: STAT,
    ERR: ERR,
    "sub": "",
    "dlvrd": "",
    # Names outside appendix B that operators also use.
    "message id": ID,
    "msg id": ID,
    "sms id": ID,
    "smsc id": ID,
    "submit time": SUBMITTED,
    "submitted": SUBMITTED,
    "submit": SUBMITTED,
    "done time": DONE,
    "done": DONE,
    "status": STAT,
    "state": STAT,
    "message status": STAT,
    "message state": STAT,
    "message stat": STAT,
    "msg status": STAT,
    "msg state": STAT,
    "msg stat": STAT,
    "delivery status": STAT,
    "dlr status": STAT,
    "error": ERR,
    "error code": ERR,
    "err code": ERR,
}
"""Field by its name in lower case; "": a field that is not used.

A blank may also be an underscore, a hyphen, or nothing. A name of appendix B wins over all others.
"""


class Fields(NamedTuple):
    """The values of a text, as written; empty if missing."""

    id: str = ""
    submitted: str = ""
    done: str = ""
    stat: str = ""
    err: str = ""
    disagree: bool = False
    """Whether it gives two values that contradict each other."""


_USUAL = re.compile(
    r"id:([^\s\x00]+) sub:\d+ dlvrd:\d+ submit date:(\d+) done date:(\d+) stat:(\w+) err:(\w+)(?: text:.*)?",
    re.ASCII | re.DOTALL | re.IGNORECASE,
)
"""Fast path: exactly appendix B, as most receipts are."""

_BEFORE = r"(?<![\w.\-+@#%~])[\"']?+"
_ANY = "|".join(name.replace(" ", "[ _-]?") for name in sorted(NAMES, key=len, reverse=True))
_COLON = r"[\"']?\s*+[:=]"
_FLAGS = re.ASCII | re.IGNORECASE

_NAMED = re.compile(rf"{_BEFORE}({_ANY}){_COLON}", _FLAGS)
_TEXT = re.compile(rf"{_BEFORE}text{_COLON}", _FLAGS)
_BARELY_NAMED = re.compile(rf"{_BEFORE}({_ANY})(?:{_COLON}|\s++)", _FLAGS)
_BARE_TEXT = re.compile(rf"{_BEFORE}text(?:{_COLON}|\s)", _FLAGS)

_BETWEEN = re.compile(r"[\s\x00]+")
_BEGINNINGS, _ENDINGS = "\"'{", "\"'},;|&"


def read_fields(text: str, words: Container[str] = STAT_WORDS) -> Fields:
    """Return the fields of a text; never raises. If a field comes twice, the first counts.

    `words`: the words for states, in upper case, by which a state without a name is found.
    """
    usual = _USUAL.fullmatch(text)
    if usual is not None:
        return Fields(usual[1], usual[2], usual[3], usual[4], usual[5])
    # What follows "text:" is the subscriber's own message and may imitate a field.
    looked = _look(_TEXT.split(text, maxsplit=1)[0], _NAMED)
    found, disagree = looked.best(), looked.disagrees()
    if not (found.get(ID) and found.get(STAT)):
        found = looked.unnamed(words) | found
        barely = _look(_BARE_TEXT.split(text, maxsplit=1)[0], _BARELY_NAMED)
        more = barely.unnamed(words) | barely.best()
        found = {
            name: said
            for name, said in more.items()
            if (name == STAT and said.upper() in words) or _CREDIBLE[name](said)
        } | found
    return Fields(
        found.get(ID, ""),
        found.get(SUBMITTED, ""),
        found.get(DONE, ""),
        found.get(STAT, ""),
        found.get(ERR, ""),
        disagree,
    )


def reads_as_receipt(text: str, words: Container[str] = STAT_WORDS) -> bool:
    """Tell whether a text is that of a receipt: a known state, and an id or a date, with their names."""
    looked = _look(_TEXT.split(text, maxsplit=1)[0], _NAMED)
    found = looked.unnamed(words) | looked.best()
    return found.get(STAT, "").upper() in words and bool(found.get(ID) or found.get(DONE))


class _Looked(NamedTuple):
    """The result of one attempt: the text, cut at its names."""

    before: list[str]
    """The words before the first name."""
    named: list[tuple[str, list[str]]]
    """Each name and the words up to the next name: its value, and whatever follows."""

    def best(self) -> dict[str, str]:
        """Return the value of each field: by its name in appendix B, else by the first of its other names."""
        found: dict[str, str] = {}
        for by_the_book in (True, False):
            for name, words in self.named:
                field = NAMES[name]
                if words and field and (name == field) is by_the_book:
                    found.setdefault(field, words[0])
        return found

    def unnamed(self, states: Container[str]) -> dict[str, str]:
        """Return the values without a name: an id before everything else, and a state that stands alone."""
        found = {}
        alone = [(name, words[1]) for name, words in self.named if len(words) == 2]
        if len(self.before) == 1:
            word = self.before[0]
            if _has_digit(word) and self.named and NAMES[self.named[0][0]] in {"", SUBMITTED, DONE, STAT}:
                found[ID] = word
            alone.insert(0, ("", word))
        known = [word for _, word in alone if word.upper() in states]
        # In the place of the state, an unknown word counts too.
        known += [word for name, word in alone if name and NAMES[name] == DONE and word.isalpha()]
        if known:
            found[STAT] = known[0]
        return found

    def disagrees(self) -> bool:
        """Tell whether one name has two values that cannot both be true."""
        first: dict[str, str] = {}
        seen: set[tuple[str, str]] = set()  # a repeated value is compared once
        for name, words in self.named:
            if not words or name not in _CONTRADICTS or (name, words[0]) in seen:
                continue
            seen.add((name, words[0]))
            if _CONTRADICTS[name](first.setdefault(name, words[0]), words[0]):
                return True
        return False


def _look(head: str, names: re.Pattern[str]) -> _Looked:
    """Cut a text at its names."""
    pieces = names.split(head)
    named = [(_plain(name), _words(piece)) for name, piece in zip(pieces[1::2], pieces[2::2], strict=True)]
    return _Looked(_words(pieces[0]), named)


def _plain(name: str) -> str:
    """Return a name as the table has it."""
    return _PLAIN[re.sub("[ _-]", "", name.lower())]


_PLAIN = {name.replace(" ", ""): name for name in NAMES}


def _words(piece: str) -> list[str]:
    bare = (word.lstrip(_BEGINNINGS).rstrip(_ENDINGS) for word in _BETWEEN.split(piece))
    return [word for word in bare if word]


def _has_digit(word: str) -> bool:
    return any(sign.isdigit() for sign in word)


_CREDIBLE: Mapping[str, Callable[[str], bool]] = {
    ID: _has_digit,
    SUBMITTED: str.isdigit,
    DONE: str.isdigit,
    STAT: lambda word: word.upper() in STAT_WORDS,
    ERR: _has_digit,
}
"""What a value without a colon must look like, as it may be any text."""


# -- what cannot both be true -----------------------------------------------------------------


def ids_disagree(one: str, other: str) -> bool:
    """Tell whether two ids of a receipt differ, whatever their spelling.

    Appendix B has room for ten characters: an id cut to ten agrees with the whole one.
    """
    if not one or not other or spelling(one, other) is not None or spelling(other, one) is not None:
        return False
    short, long = sorted((one, other), key=len)
    return not (len(short) >= 10 and long.startswith(short))


def states_disagree(one: str, other: str) -> bool:
    """Tell whether two words stand for different states; an unknown word disagrees with none."""
    first, second = STAT_WORDS.get(one.upper()), STAT_WORDS.get(other.upper())
    return first is not None and second is not None and first is not second


def errors_disagree(one: str, other: str) -> bool:
    """Tell whether one code means success and the other a failure."""
    return bool(one and other) and _is_zero(one) != _is_zero(other)


def _is_zero(code: str) -> bool:
    return not code.strip("0")


_CONTRADICTS: Mapping[str, Callable[[str, str], bool]] = {ID: ids_disagree, STAT: states_disagree, ERR: errors_disagree}
