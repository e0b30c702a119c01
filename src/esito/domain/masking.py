"""Hiding a number in what operators wrote."""

import re

from esito.domain.number_forms import TAIL

SHOWN = 4
"""Last digits that are shown."""


def hide_in(octets: bytes, msisdn: str) -> bytes:
    """Return octets in which a number (E.164) is hidden but for its last four digits, in whatever form it is written.

    A run of digits that ends with its last seven is taken for it, with octets of zero between two digits too, as
    UCS-2 has them. The length stays. Nothing is hidden for what is no number.
    """
    digits = msisdn.removeprefix("+").encode()
    if len(digits) < TAIL or not digits.isdigit():
        return octets
    tail = digits[-TAIL:]
    end = b"\x00?".join(tail[place : place + 1] for place in range(TAIL))
    return re.sub(rb"(?:[0-9]\x00?)*?" + end, lambda found: _hidden(found[0]), octets)


def _hidden(written: bytes) -> bytes:
    first_shown = [place for place, octet in enumerate(written) if octet][-SHOWN]
    return re.sub(rb"[0-9]", b"*", written[:first_shown]) + written[first_shown:]
