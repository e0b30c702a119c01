"""The GSM 03.38 default alphabet with its extension table (3GPP TS 23.038, 6.2.1).

Septets are unpacked, one per octet, as SMPP carries them under data_coding 0; some operators
want them packed, as on the air (6.1.2). A character of the extension table takes two
septets: the escape and a code.
"""

import codecs
import re
from collections.abc import Mapping

from esito.domain.gsm_languages import LOCKING_SHIFT, SINGLE_SHIFT, Language

ESCAPE = 0x1B

_BASE = (
    "@£$¥èéùìòÇ\nØø\rÅå"
    "Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ"
    " !\"#¤%&'()*+,-./"
    "0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNO"
    "PQRSTUVWXYZÄÖÑÜ§"
    "¿abcdefghijklmno"
    "pqrstuvwxyzäöñüà"
)

_EXTENSION = SINGLE_SHIFT[Language.DEFAULT]

# The escape is no character: U+001B in a text would change the meaning of the next one.
_OCTETS: dict[int, int | bytes] = {ord(char): code for code, char in enumerate(_BASE) if code != ESCAPE}
_OCTETS.update({ord(char): bytes((ESCAPE, code)) for code, char in _EXTENSION.items()})

ALPHABET = frozenset(map(chr, _OCTETS))
"""Every character that can be encoded, the extension table included."""

OUTSIDE = re.compile(f"[^{re.escape(''.join(sorted(ALPHABET)))}]")
_PIECE = re.compile(rb"\x1b(?P<escaped>.?)|[^\x1b]+", re.DOTALL)


def fits(text: str) -> bool:
    """Return whether every character is in the alphabet or its extension table."""
    return OUTSIDE.search(text) is None


def septets(text: str) -> int:
    """Count septets: one per character, two for one of the extension table.

    Raises UnicodeEncodeError if the text does not fit.
    """
    return len(encode(text))


def encode(text: str) -> bytes:
    """Return the septets, one per octet. Raises UnicodeEncodeError if the text does not fit."""
    return codecs.charmap_encode(text, "strict", _OCTETS)[0]


def decode(octets: bytes, *, locking: int = 0, single: int = 0) -> str:
    """Return the text of septets; never raises.

    `locking` and `single`: the national languages in the user data header; one without a table counts as none
    (3GPP TS 23.038, 6.2.1.2.4). As 6.2.1.1 requires of a handset, an escape before a code that the extension table
    lacks shows the character of the default alphabet; an escape before another escape, or at the end, shows a space.
    An octet above 0x7F is no septet and shows as U+FFFD.
    """
    alphabet = LOCKING_SHIFT.get(locking, _BASE)
    if ESCAPE not in octets:
        return _characters(octets, alphabet)
    extension = SINGLE_SHIFT.get(single, _EXTENSION)
    return "".join(
        _characters(piece[0], alphabet) if piece["escaped"] is None else _escaped(piece["escaped"], alphabet, extension)
        for piece in _PIECE.finditer(octets)
    )


def fill_bits(header: int) -> int:
    """Return the fill bits after a user data header of that many octets, up to a septet boundary (3GPP TS 23.040)."""
    return -header * 8 % 7


def pack(septets: bytes, *, fill: int = 0) -> bytes:
    """Return septets packed, lowest bit first, after `fill` empty bits (3GPP TS 23.038, 6.1.2.1).

    Seven spare bits would read as another `@`, so a carriage return fills them (6.1.2.3.1).
    """
    bits = fill + 7 * len(septets)
    if septets and bits % 8 == 1:
        septets, bits = septets + _FILLING, bits + 7
    groups = (septets[place : place + _SEPTETS] for place in range(0, len(septets), _SEPTETS))
    packed = b"".join([_number_of(group).to_bytes(_OCTETS_OF_GROUP, "little") for group in groups])
    return (int.from_bytes(packed, "little") << fill).to_bytes((bits + 7) // 8, "little")


def unpack(octets: bytes, *, fill: int = 0) -> bytes:
    """Return the septets packed after `fill` bits, without a carriage return that fills the last octet."""
    count = max(0, (8 * len(octets) - fill) // 7)
    packed = (int.from_bytes(octets, "little") >> fill).to_bytes(len(octets), "little")
    found = bytearray()
    for start in range(0, len(packed), _OCTETS_OF_GROUP):
        number = int.from_bytes(packed[start : start + _OCTETS_OF_GROUP], "little")
        found += bytes([number >> 7 * place & 0x7F for place in range(_SEPTETS)])
    septets = bytes(found[:count])
    exact = (fill + 7 * count) % 8 == 0
    return septets[:-1] if exact and septets.endswith(_FILLING) else septets


_FILLING = b"\r"

_SEPTETS, _OCTETS_OF_GROUP = 8, 7
"""Eight septets fill seven octets. Group by group, the work grows only linearly with the text."""


def _number_of(septets: bytes) -> int:
    number = 0
    for septet in reversed(septets):
        number = number << 7 | septet
    return number


def _characters(octets: bytes, alphabet: str) -> str:
    return codecs.charmap_decode(octets, "replace", alphabet)[0]


def _escaped(octet: bytes, alphabet: str, extension: Mapping[int, str]) -> str:
    if not octet or octet[0] == ESCAPE:
        return " "
    return extension.get(octet[0]) or _characters(octet, alphabet)
