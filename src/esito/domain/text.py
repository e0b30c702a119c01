"""What a text becomes on its way to a handset: replaced characters, segments, coding (contract 2.5)."""

import unicodedata
from dataclasses import dataclass
from typing import NamedTuple

from esito.domain import gsm0338

MAX_SEGMENTS = 10
"""Segments of one recipient (code 52)."""

LOW_COST_LIMIT = 160
"""Characters of a low cost message (code 42)."""

SEPTETS_ALONE, SEPTETS_JOINED = 160, 153
UNITS_ALONE, UNITS_JOINED = 70, 67

GSM, UCS2 = 0x00, 0x08
"""data_coding (SMPP 3.4, 5.2.19)."""

LINE_BREAK = "\r\n"
"""What `:br:` becomes: two characters, as the contract counts it."""

_PLAIN = {
    "ÿ": "y", "û": "u", "ü": "u", "ï": "i", "î": "i", "ô": "o", "ö": "o", "ó": "o", "ë": "e", "ê": "e", "µ": "u",
    "μ": "u", "ä": "a", "á": "a", "â": "a", "ã": "a", "Ä": "A", "À": "A", "Á": "A", "Â": "A", "Ã": "A", "È": "E",
    "Ê": "E", "Ë": "E", "Î": "I", "Ü": "U", "Ù": "U", "Û": "U", "Ý": "Y", "Ö": "O", "Ô": "O", "ñ": "n", "Ñ": "N",
    "œ": "oe", "ą": "à", "ç": "Ç", "[": "(", "{": "(", "]": ")", "}": ")", "’": "'", "‘": "'", "“": "'", "`": "'",
    "«": '"', "»": '"', "°": ".", "^": "", "~": "", "|": "", "\\": "", "¨": "", "§": "",
}
_REPLACED = str.maketrans(_PLAIN)

STRANGER = "?"
"""What a character outside the alphabet becomes when Unicode was not asked for."""


@dataclass(frozen=True, slots=True)
class PreparedText:
    """A text as it will be shown, and how it travels."""

    text: str
    unicode: bool

    @property
    def units(self) -> int:
        """Septets, or UTF-16 code units in Unicode."""
        return _utf16_units(self.text) if self.unicode else gsm0338.septets(self.text)


class SegmentText(NamedTuple):
    """The octets of one segment, without a user data header."""

    octets: bytes
    data_coding: int


def prepare(text: str, *, unicode: bool) -> PreparedText:
    """Apply the shorthands and, unless Unicode was asked for, the replacements of contract 2.5.

    Decomposed accents are composed first, so that both spellings of é are treated alike.
    A character that has no replacement and is not in the GSM alphabet becomes `?`.
    """
    text = unicodedata.normalize("NFC", text.replace(":br:", LINE_BREAK).replace(":euro:", "€"))
    if unicode:
        # A half of a surrogate pair is no character and cannot be sent.
        return PreparedText(text.encode("utf-16-be", "replace").decode("utf-16-be"), unicode=True)
    text = text.translate(_REPLACED)
    if not gsm0338.fits(text):
        text = "".join(character if gsm0338.fits(character) else STRANGER for character in text)
    return PreparedText(text, unicode=False)


def count_segments(prepared: PreparedText) -> int:
    """Return how many segments the text needs; an empty text needs one."""
    alone, joined = (UNITS_ALONE, UNITS_JOINED) if prepared.unicode else (SEPTETS_ALONE, SEPTETS_JOINED)
    units = prepared.units
    if units <= alone:
        return 1
    if units == len(prepared.text):  # no pair that could be cut
        return -(-units // joined)
    return len(split(prepared))


def split(prepared: PreparedText) -> tuple[SegmentText, ...]:
    """Cut the text into segments, never through an escape or a surrogate pair."""
    if prepared.unicode:
        octets = prepared.text.encode("utf-16-be")
        pieces = _cut(octets, UNITS_ALONE * 2, UNITS_JOINED * 2, _starts_high_surrogate, step=2)
        return tuple(SegmentText(piece, UCS2) for piece in pieces)
    pieces = _cut(gsm0338.encode(prepared.text), SEPTETS_ALONE, SEPTETS_JOINED, _is_escape, step=1)
    return tuple(SegmentText(piece, GSM) for piece in pieces)


def udh(reference: int, total: int, part: int) -> bytes:
    """Return the concatenation header with an 8-bit reference (3GPP TS 23.040, 9.2.3.24.1)."""
    return bytes((0x05, 0x00, 0x03, reference & 0xFF, total, part))


def _cut(octets: bytes, alone: int, joined: int, opens_pair, *, step: int) -> list[bytes]:  # type: ignore[no-untyped-def]
    if len(octets) <= alone:
        return [octets]
    pieces = []
    start = 0
    while start < len(octets):
        end = min(start + joined, len(octets))
        if end < len(octets) and opens_pair(octets, end - step):
            end -= step
        pieces.append(octets[start:end])
        start = end
    return pieces


def _is_escape(octets: bytes, place: int) -> bool:
    return octets[place] == gsm0338.ESCAPE


def _starts_high_surrogate(octets: bytes, place: int) -> bool:
    return 0xD8 <= octets[place] <= 0xDB


def _utf16_units(text: str) -> int:
    return len(text) + sum(character > "\uffff" for character in text)
