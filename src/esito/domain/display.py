"""What is shown to people and logs: numbers masked, and foreign text with every control character written out.

Operators, subscribers and customers write what they like. A terminal obeys ESC, and a mark that changes the direction
of writing lets a line read as something else than it holds.
"""

import re
import unicodedata

from esito.domain.number_forms import TAIL

# -- numbers ------------------------------------------------------------------------------------


def mask(msisdn: str) -> str:
    """Return a number as logs show it: country, first digit, last two digits."""
    return f"{msisdn[:4]}{'*' * max(len(msisdn) - 6, 1)}{msisdn[-2:]}" if len(msisdn) > 6 else "*" * len(msisdn)


def mask_for_people(msisdn: str) -> str:
    """Return a number as administrators see it: its last four digits."""
    return "*" * max(len(msisdn) - 4, 1) + msisdn[-4:] if len(msisdn) > 4 else "*" * len(msisdn)


SHOWN = 4
"""Last digits that are shown."""

LONGEST = 17
"""Most digits of a number: 15 after the 00 of an international call."""


def hide_in(octets: bytes, msisdn: str) -> bytes:
    """Return octets in which a number (E.164) shows its last four digits only, in whatever form it is written.

    Its last seven digits in a row are taken for it, even with blanks, punctuation or the zero octets of UCS-2 between
    them. The length stays the same. If `msisdn` is no number nothing is hidden.
    """
    digits = msisdn.removeprefix("+").encode()
    if len(digits) < TAIL or not digits.isdigit():
        return octets
    return _RUN.sub(lambda found: _hidden(found[0], digits[-TAIL:]), octets)


_RUN = re.compile(rb"(?:[0-9][\x00 .()/-]{0,6}){%d,}" % TAIL)
"""Digits in a row, and what may stand between them."""


def _hidden(run: bytes, tail: bytes) -> bytes:
    places = [place for place, octet in enumerate(run) if octet in b"0123456789"]
    digits = bytes(run[place] for place in places)
    shown = bytearray(run)
    found = digits.find(tail)
    while found >= 0:
        for place in places[max(0, found + TAIL - LONGEST) : found + TAIL - SHOWN]:
            shown[place] = ord("*")
        found = digits.find(tail, found + 1)
    return bytes(shown)


# -- foreign text -------------------------------------------------------------------------------


def visible(text: str, *, keep: str = "") -> str:
    r"""Return a text in which every character is visible: controls and invisible marks become `\x1b`, `\u202e`.

    Blanks and the characters in `keep` stay.
    """
    if text.isprintable():
        return text
    return "".join(sign if _shows(sign) or sign in keep else _written_out(sign) for sign in text)


def visible_json(text: str) -> str:
    r"""Return an equal JSON text in which every character is visible; line breaks between values stay."""
    if text.isprintable():
        return text
    return "".join(sign if _shows(sign) or sign == "\n" else _escaped(sign) for sign in text)


def _shows(sign: str) -> bool:
    return sign.isprintable() or unicodedata.category(sign) == "Zs"


def _written_out(sign: str) -> str:
    return sign.encode("unicode_escape").decode("ascii")


def _escaped(sign: str) -> str:
    octets = sign.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{octets[place : place + 2].hex()}" for place in range(0, len(octets), 2))
