"""Hiding a number in what operators wrote."""

import re

from esito.domain.number_forms import TAIL

SHOWN = 4
"""Last digits that are shown."""


LONGEST = 17
"""Digits of a number: 15 behind the 00 of a call abroad."""


def hide_in(octets: bytes, msisdn: str) -> bytes:
    """Return octets in which a number (E.164) is hidden but for its last four digits, in whatever form it is written.

    What has its last seven digits one after the other is taken for it, though there are blanks or punctuation between
    two of them, or the octets of zero of UCS-2. The length stays. Nothing is hidden for what is no number.
    """
    digits = msisdn.removeprefix("+").encode()
    if len(digits) < TAIL or not digits.isdigit():
        return octets
    return _RUN.sub(lambda found: _hidden(found[0], digits[-TAIL:]), octets)


_RUN = re.compile(rb"(?:[0-9][\x00 .()/-]{0,6}){%d,}" % TAIL)
"""Digits in a row, with what people write between them."""


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
