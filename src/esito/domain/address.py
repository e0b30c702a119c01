"""What kind of address a sender or a recipient is: a name, a short code, or a number with or without calling code."""

from enum import Enum
from functools import lru_cache

LONGEST_SHORT_CODE = 6


class AddressKind(Enum):
    """The kinds that operators want numbered differently (SMPP 3.4, 5.2.5)."""

    ALPHANUMERIC = "alphanumeric"
    SHORT_CODE = "short_code"
    INTERNATIONAL = "international"
    NATIONAL = "national"
    """With the zero that is dialled within a country."""

    __hash__ = object.__hash__  # members are one of each, and this one is asked for every segment


@lru_cache(maxsize=4096)
def kind_of(address: str) -> AddressKind | None:
    """Return the kind of an address; None for an empty one, which is left to the operator."""
    digits = address.removeprefix("+")
    if not digits:
        return None
    if not (digits.isascii() and digits.isdecimal()):
        return AddressKind.ALPHANUMERIC
    if len(digits) <= LONGEST_SHORT_CODE:
        return AddressKind.SHORT_CODE
    if address.startswith("0") and not address.startswith("00"):
        return AddressKind.NATIONAL
    return AddressKind.INTERNATIONAL
