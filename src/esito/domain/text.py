"""How a text is prepared: shorthands, replaced characters, segments (contract 2.5)."""

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from esito.domain import gsm0338

MAX_SEGMENTS = 10
"""Segments of one recipient (contract 2.5, code 52)."""

LONGEST = 4 * MAX_SEGMENTS * 153
"""Characters of a text as written, invisible ones included; no text that fits needs more."""

MOST_MARKS = 8
"""Combining marks on one letter. No language has more, and sorting them takes quadratic time."""

LOW_COST_LIMIT = 160
"""Characters of a low cost message (contract 2.5, code 42)."""

SEPTETS_ALONE, SEPTETS_JOINED = 160, 153
UNITS_ALONE, UNITS_JOINED = 70, 67

GSM, UCS2 = 0x00, 0x08
"""data_coding (SMPP 3.4, 5.2.19)."""

LINE_BREAK = "\r\n"
"""Replaces `:br:`: two characters, as the contract counts it. A line break in the text stays as it is."""

_REPLACED = str.maketrans({
    "ÿ": "y", "û": "u", "ü": "u", "ï": "i", "î": "i", "ô": "o", "ö": "o", "ó": "o", "ë": "e", "ê": "e", "µ": "u",
    "ä": "a", "á": "a", "â": "a", "ã": "a", "Ä": "A", "À": "A", "Á": "A", "Â": "A", "Ã": "A", "È": "E", "Ê": "E",
    "Ë": "E", "Î": "I", "Ü": "U", "Ù": "U", "Ú": "U", "Û": "U", "Ý": "Y", "Ö": "O", "Ô": "O", "ñ": "n", "Ñ": "N",
    "œ": "oe", "ą": "à", "ç": "Ç", "[": "(", "{": "(", "]": ")", "}": ")", "’": "'", "‘": "'", "“": "'", "`": "'",
    "«": '"', "»": '"', "°": ".", "^": "", "~": "", "|": "", "\\": "", "¨": "", "§": "",
})  # fmt: skip
"""The contract's list; the alphabet has some of these characters all the same."""

_STRANGERS = {
    "”": "'", "„": "'", "‚": "'", "‛": "'", "‹": "'", "›": "'", "′": "'", "″": '"', "–": "-", "—": "-", "−": "-",
    "‐": "-", "‑": "-", "•": "-", "\t": " ", "Œ": "OE", "Ð": "D", "ð": "d", "Ł": "L", "ł": "l", "Đ": "D", "đ": "d",
    "ı": "i", "Þ": "Th", "þ": "th", "μ": "u", "×": "x",
    "⁄": "/", "\u2028": "\n", "\u2029": "\n",
}  # fmt: skip
"""Our additions: characters that the list omits and Unicode does not decompose."""

UNWRITABLE = "?"
"""Replaces a character without any resembling one in the alphabet."""


@dataclass(frozen=True, slots=True)
class PreparedText:
    """A text as the handset shows it, and whether it is Unicode."""

    text: str
    unicode: bool
    """UCS-2 was requested; it is used even if the GSM alphabet would do, at the price of more segments."""

    @property
    def units(self) -> int:
        """Septets, or UTF-16 code units in Unicode, as the limits count them."""
        return len(self.text.encode("utf-16-be")) // 2 if self.unicode else gsm0338.septets(self.text)


class SegmentText(NamedTuple):
    """The octets of one segment, without a user data header."""

    octets: bytes
    data_coding: int


def is_overlong(text: str) -> bool:
    """Tell whether a text exceeds the limit of segments whatever it contains."""
    return len(text) > LONGEST


def has_too_many_marks(text: str) -> bool:
    """Tell whether a letter has more than `MOST_MARKS` combining marks."""
    return not text.isascii() and _with_marks(text, MOST_MARKS) is not text


def prepare(text: str, *, unicode: bool) -> PreparedText:
    """Apply the shorthands and, unless Unicode was requested, the replacements of contract 2.5.

    Accents are composed first, so both spellings of é are treated alike. A character outside
    the GSM alphabet that the contract's list omits loses its accents (Ï is I), is decomposed
    (… is ...), or becomes `?`; invisible marks are dropped. A text that no send may have,
    overlong or with too many marks, is cut, so the work stays linear.
    """
    text = text[:LONGEST].replace(":br:", LINE_BREAK).replace(":euro:", "€")
    if not text.isascii():
        text = unicodedata.normalize("NFC", _with_marks(text, MOST_MARKS))
    if unicode:
        # Half of a surrogate pair cannot be sent: it becomes a question mark.
        return PreparedText(text.encode("utf-16-be", "replace").decode("utf-16-be"), unicode=True)
    text = text.translate(_REPLACED)
    if not gsm0338.fits(text):
        strangers = set(gsm0338.OUTSIDE.findall(text))
        text = text.translate({ord(char): _nearest(char) for char in strangers})
    return PreparedText(text, unicode=False)


def count_segments(prepared: PreparedText) -> int:
    """Return how many segments the text needs (contract 2.5); an empty text needs one."""
    alone, joined = (UNITS_ALONE, UNITS_JOINED) if prepared.unicode else (SEPTETS_ALONE, SEPTETS_JOINED)
    units = prepared.units
    if units <= alone:
        return 1
    if units == len(prepared.text):  # no pair to keep together
        return -(-units // joined)
    return len(split(prepared))


def split(prepared: PreparedText) -> tuple[SegmentText, ...]:
    """Cut the text into segments of contract 2.5, never through an escape or a surrogate pair."""
    if prepared.unicode:
        octets = prepared.text.encode("utf-16-be")
        if len(octets) <= UNITS_ALONE * 2:
            return (SegmentText(octets, UCS2),)
        return tuple(SegmentText(piece, UCS2) for piece in cut_ucs2(octets))
    octets = gsm0338.encode(prepared.text)
    if len(octets) <= SEPTETS_ALONE:
        return (SegmentText(octets, GSM),)
    return tuple(SegmentText(piece, GSM) for piece in cut_septets(octets))


def udh(reference: int, total: int, part: int) -> bytes:
    """Return the concatenation header with an 8-bit reference (3GPP TS 23.040, 9.2.3.24.1).

    Its six octets take seven septets, or three units, of each joined segment.
    """
    return bytes((0x05, 0x00, 0x03, reference & 0xFF, total, part))


def long_udh(reference: int, total: int, part: int) -> bytes:
    """Return the concatenation header with a 16-bit reference (3GPP TS 23.040, 9.2.3.24.8)."""
    return bytes((0x06, 0x08, 0x04, reference >> 8 & 0xFF, reference & 0xFF, total, part))


def cut_septets(octets: bytes, most: int = SEPTETS_JOINED) -> list[bytes]:
    """Cut septets into pieces of at most `most`, never after an escape; there is always one piece."""
    pieces, start = [], 0
    while start < len(octets):
        end = start + most
        if end < len(octets) and octets[end - 1 : end] == b"\x1b":  # its code would begin the next segment
            end -= 1
        pieces.append(octets[start:end])
        start = end
    return pieces or [b""]


def cut_ucs2(octets: bytes, most: int = UNITS_JOINED) -> list[bytes]:
    """Cut UTF-16 into pieces of at most `most` units, never through a pair; there is always one piece."""
    pieces, start = [], 0
    while start < len(octets):
        end = start + most * 2
        if end < len(octets) and 0xD8 <= octets[end - 2] <= 0xDB:  # a high surrogate
            end -= 2
        pieces.append(octets[start:end])
        start = end
    return pieces or [b""]


def _with_marks(text: str, most: int) -> str:
    """Return a text with at most `most` combining marks in a row; the text itself if it has no more."""
    marks, dropped = 0, []
    for place, char in enumerate(text):
        if char < "\u0300":  # the first mark
            marks = 0
            continue
        marks = marks + 1 if unicodedata.category(char)[0] == "M" else 0
        if marks > most:
            dropped.append(place)
    if not dropped:
        return text
    gone = set(dropped)
    return "".join(char for place, char in enumerate(text) if place not in gone)


@lru_cache(maxsize=1024)
def _nearest(char: str) -> str:
    """Return the nearest characters of the GSM alphabet."""
    if char in _STRANGERS:
        return _STRANGERS[char]
    if unicodedata.category(char) in {"Mn", "Me", "Cf"}:  # marks, variation selectors, joiners, directions
        return ""
    made_of = unicodedata.normalize("NFKD", char)
    kept = "".join(part for part in made_of if not unicodedata.combining(part)).translate(_REPLACED)
    kept = "".join(_STRANGERS.get(part, part) for part in kept)
    return kept if kept and gsm0338.fits(kept) else UNWRITABLE
