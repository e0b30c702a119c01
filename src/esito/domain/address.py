"""Addresses of senders and recipients: their kind, and the type of number and numbering plan each kind gets."""

from collections.abc import Mapping
from enum import Enum
from functools import lru_cache

LONGEST_SHORT_CODE = 6


class AddressKind(Enum):
    """The kinds that operators want a TON and NPI of their own for (SMPP 3.4, 5.2.5)."""

    ALPHANUMERIC = "alphanumeric"
    SHORT_CODE = "short_code"
    INTERNATIONAL = "international"
    NATIONAL = "national"
    """With the trunk zero that is dialled within its country."""

    __hash__ = object.__hash__  # by identity: faster, and hashed for every segment


@lru_cache(maxsize=4096)
def kind_of(address: str) -> AddressKind | None:
    """Return the kind of an address; None for an empty one, which the operator fills in."""
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


# -- type of number and numbering plan (SMPP 3.4, 5.2.5 and 5.2.6) -------------------------------

INTERNATIONAL, NATIONAL, ALPHANUMERIC, UNKNOWN, NETWORK = 1, 2, 5, 0, 3
ISDN = 1

EVERY = "all"
"""In settings: every kind that has no line of its own."""

Numbering = Mapping[AddressKind | None, tuple[int, int]]
"""TON and NPI of each kind of address, and of an empty one."""

USUAL_NUMBERING: Numbering = {
    AddressKind.ALPHANUMERIC: (ALPHANUMERIC, UNKNOWN),
    AddressKind.SHORT_CODE: (NETWORK, UNKNOWN),
    AddressKind.INTERNATIONAL: (INTERNATIONAL, ISDN),
    AddressKind.NATIONAL: (NATIONAL, ISDN),
    None: (UNKNOWN, UNKNOWN),
}
"""What most operators want."""


def numbering(own: Mapping[str, tuple[int, int]]) -> Numbering:
    """Return the TON and NPI that an operator wants of each kind; `own`: what differs from the usual, by kind."""
    rest = own.get(EVERY)
    return {kind: own.get(kind.value if kind else "", rest or usual) for kind, usual in USUAL_NUMBERING.items()}


def numbered(address: str, wanted: Numbering) -> tuple[int, int]:
    """Return TON and NPI of an address."""
    return wanted[kind_of(address)]
