"""Hiding a number in what operators wrote."""

import re

from esito.domain.number_forms import TAIL

SHOWN = 4
"""Last digits that are shown."""


def hide_in(octets: bytes, msisdn: str) -> bytes:
    """Return octets in which a number (E.164) is hidden but for its last four digits, in whatever form it is written.

    A run of digits that has its last seven is taken for it, with octets of zero between two digits too, as
    UCS-2 has them. The length stays. Nothing is hidden for what is no number.
    """
    digits = msisdn.removeprefix("+").encode()
    if len(digits) < TAIL or not digits.isdigit():
        return octets
    return _RUN.sub(lambda found: _hidden(found[0], digits[-TAIL:]), octets)


_RUN = re.compile(rb"(?:[0-9]\x00?){%d,}" % TAIL)
"""Digits in a row, as ASCII or as UCS-2."""


def _hidden(run: bytes, tail: bytes) -> bytes:
    places = [place for place, octet in enumerate(run) if octet]
    found = bytes(run[place] for place in places).rfind(tail)
    if found < 0:
        return run
    first_shown = places[found + TAIL - SHOWN]
    return re.sub(rb"[0-9]", b"*", run[:first_shown]) + run[first_shown:]
