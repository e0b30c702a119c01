"""Message ids of SMSCs: cleaned as they come, and compared in whatever spelling.

An operator may write one id in the submit_sm_resp and another spelling of it in the
receipt: hexadecimal and decimal, padded and bare, upper and lower case, with `0x`
before it, or as a signed number. The id is kept as it was written; the *canonical* id only
groups equal spellings, and `spelling` then tells how far two of them agree.
"""

from enum import IntEnum

LONGEST = 64
"""Octets of message_id and receipted_message_id without the NUL (SMPP 3.4, 5.2.23, 5.3.2.12).

Longer ids are compared by their first 64, where a peer would cut them."""

KEPT = 255
"""Octets that are kept of an id, of responses and receipts alike, so that the two still agree."""

MAX_LENGTH = 65
"""Octets of receipted_message_id, NUL included (SMPP 3.4, 5.3.2.12)."""

_DIGITS = frozenset("0123456789")
_HEX = frozenset("0123456789abcdef")
_BLANKS = " \t\r\n\0"
_BLANK_OCTETS = _BLANKS.encode("ascii")
_PADDING = "0" + _BLANKS

_WORDS = ((1 << 31, 1 << 32), (1 << 63, 1 << 64))
"""Of numbers of 32 and of 64 bits: the first whose high bit is set, and one beyond the last."""


class Spelling(IntEnum):
    """How the id of a receipt agrees with the id of a response, best first."""

    SAME = 0
    CASE = 1
    """Equal but for upper and lower case."""
    PADDED = 2
    """Equal but for leading zeros or `0x`, blanks around it, the sign of a number, or what was cut off (and case)."""
    HEX_TO_DEC = 3
    """Hexadecimal in the response, decimal in the receipt."""
    DEC_TO_HEX = 4
    """Decimal in the response, hexadecimal in the receipt."""

    @property
    def converted(self) -> bool:
        """Whether the two agree only in another base."""
        return self >= Spelling.HEX_TO_DEC


def clean_id(written: str) -> str:
    """Return an id without blanks and NULs around it, cut to `KEPT`."""
    bare = written.strip(_BLANKS)
    return bare if len(bare) <= KEPT else bare[:KEPT].rstrip(_BLANKS)


def id_in(octets: bytes) -> str:
    """Return the id in the value of a TLV; it ends at a NUL, whatever a peer's buffer holds behind it."""
    bare = octets.strip(_BLANK_OCTETS)
    if 0 in bare or len(bare) > KEPT:
        return clean_id(bare.partition(b"\0")[0].decode("latin-1"))
    return bare.decode("latin-1")


def canonical(smsc_message_id: str) -> str:
    """Return the match key of an id: lower case, without blanks, `0x` and leading zeros, cut to 64; '' stays ''."""
    if smsc_message_id.isdecimal() and smsc_message_id.isascii() and smsc_message_id[0] != "0":
        return smsc_message_id[:LONGEST]  # as nearly all are
    bare = smsc_message_id.strip(_BLANKS).lower()[:LONGEST].rstrip(_BLANKS)
    if not bare:
        return ""
    if bare.startswith("0x") and len(bare) > 2 and _HEX.issuperset(bare[2:]):
        bare = bare[2:]
    return bare.lstrip(_PADDING) or "0"


def match_keys(receipt_id: str) -> list[str]:
    """Return every match key that the segment of this receipt may have; that of its own spelling first.

    Numbers of more than 64 bits are not converted.
    """
    own = canonical(receipt_id)
    if not own:
        return []
    found = [own]
    decimal = _decimal(own)
    if decimal is not None:
        for number in _unsigned(decimal):
            found += [f"{number:x}", str(number), *_signed(number)]
    hexadecimal = _hexadecimal(own)
    if hexadecimal is not None:
        found += [str(hexadecimal), *_signed(hexadecimal)]
    return list(dict.fromkeys(found))


def spelling(response_id: str, receipt_id: str) -> Spelling | None:
    """Return how the two ids agree; None when they do not."""
    if response_id == receipt_id:
        return Spelling.SAME
    if response_id.lower() == receipt_id.lower():
        return Spelling.CASE
    response, receipt = canonical(response_id), canonical(receipt_id)
    if response == receipt:
        return Spelling.PADDED
    if not response or not receipt:
        return None
    numbers = _numbers(_decimal(receipt))
    if numbers:
        if not numbers.isdisjoint(_numbers(_decimal(response))):
            return Spelling.PADDED
        if _hexadecimal(response) in numbers:
            return Spelling.HEX_TO_DEC
    if (number := _hexadecimal(receipt)) is not None and number in _numbers(_decimal(response)):
        return Spelling.DEC_TO_HEX
    return None


def _decimal(bare: str) -> int | None:
    """Return the number that a canonical id writes in decimal, signed or not, in at most 64 bits; else None."""
    digits = bare.removeprefix("-")
    if not digits or len(digits) > 20 or not _DIGITS.issuperset(digits):
        return None
    number = int(bare)
    return number if -(1 << 63) <= number < 1 << 64 else None


def _hexadecimal(bare: str) -> int | None:
    return int(bare, 16) if 0 < len(bare) <= 16 and _HEX.issuperset(bare) else None


def _unsigned(number: int) -> list[int]:
    """Return the unsigned numbers that this one may stand for; a negative one comes from a high bit read as sign."""
    if number >= 0:
        return [number]
    return [number + beyond for half, beyond in _WORDS if number >= -half]


def _signed(number: int) -> list[str]:
    """Return how a number is written if its high bit is read as a sign."""
    return [str(number - beyond) for half, beyond in _WORDS if half <= number < beyond]


def _numbers(number: int | None) -> frozenset[int]:
    return frozenset() if number is None else frozenset(_unsigned(number))
