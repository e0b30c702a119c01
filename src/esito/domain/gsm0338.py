"""The GSM 03.38 default alphabet with its extension table (3GPP TS 23.038, 6.2.1).

Septets are kept unpacked, one to an octet, as SMPP carries them under data_coding 0; some
operators want them packed, as they are on the air (6.1.2).
A character of the extension table is the escape and a code: two septets.
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

# The escape is no character: a U+001B in a text would turn what follows it into something else.
_OCTETS: dict[int, int | bytes] = {ord(char): code for code, char in enumerate(_BASE) if code != ESCAPE}
_OCTETS.update({ord(char): bytes((ESCAPE, code)) for code, char in _EXTENSION.items()})

ALPHABET = frozenset(map(chr, _OCTETS))
"""Every character that can be written, those of the extension table too."""

OUTSIDE = re.compile(f"[^{re.escape(''.join(sorted(ALPHABET)))}]")
_PIECE = re.compile(rb"\x1b(?P<escaped>.?)|[^\x1b]+", re.DOTALL)


def fits(text: str) -> bool:
    """Return whether every character is in the alphabet or its extension table."""
    return OUTSIDE.search(text) is None


def septets(text: str) -> int:
    """Count septets: one a character, two for those of the extension table.

    Raises UnicodeEncodeError when the text does not fit.
    """
    return len(encode(text))


def encode(text: str) -> bytes:
    """Return the septets, one to an octet. Raises UnicodeEncodeError when the text does not fit."""
    return codecs.charmap_encode(text, "strict", _OCTETS)[0]


def decode(octets: bytes, *, locking: int = 0, single: int = 0) -> str:
    """Return the text of septets; whatever an SMSC sends has one.

    `locking` and `single` are the national languages that a user data header names: those without a table are as
    if none were named (3GPP TS 23.038, 6.2.1.2.4).
    As 6.2.1.1 asks of a handset, an escape before a code that the extension table
    lacks shows the character of the default alphabet, and an escape before another escape,
    or before nothing, shows a space. An octet above 0x7F is no septet and shows as U+FFFD.
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
    """Return the bits that follow a user data header of so many octets, so that a septet begins (3GPP TS 23.040)."""
    return -header * 8 % 7


def pack(septets: bytes, *, fill: int = 0) -> bytes:
    """Return septets packed, the first bit of each the lowest, after `fill` empty bits (3GPP TS 23.038, 6.1.2.1).

    Seven bits that are left over would read as one more `@`: a carriage return fills them (6.1.2.3.1).
    """
    bits = fill + 7 * len(septets)
    if septets and bits % 8 == 1:
        septets, bits = septets + _FILLING, bits + 7
    groups = (septets[place : place + _SEPTETS] for place in range(0, len(septets), _SEPTETS))
    packed = b"".join([_number_of(group).to_bytes(_OCTETS_OF_GROUP, "little") for group in groups])
    return (int.from_bytes(packed, "little") << fill).to_bytes((bits + 7) // 8, "little")


def unpack(octets: bytes, *, fill: int = 0) -> bytes:
    """Return the septets that were packed after `fill` bits; a carriage return that fills the last octet is none."""
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
"""Eight septets fill seven octets. Taken group by group, a long text costs no more than many short ones."""


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
