"""Type of number and numbering plan of an address (SMPP 3.4, 5.2.5 and 5.2.6)."""

from collections.abc import Mapping

from esito.domain.address import AddressKind, kind_of

INTERNATIONAL, NATIONAL, ALPHANUMERIC, UNKNOWN, NETWORK = 1, 2, 5, 0, 3
ISDN = 1

EVERY = "all"
"""Stands for every kind that is not named itself."""

Numbering = Mapping[AddressKind | None, tuple[int, int]]
"""TON and NPI of each kind of address, and of none."""

USUAL: Numbering = {
    AddressKind.ALPHANUMERIC: (ALPHANUMERIC, UNKNOWN),
    AddressKind.SHORT_CODE: (NETWORK, UNKNOWN),
    AddressKind.INTERNATIONAL: (INTERNATIONAL, ISDN),
    AddressKind.NATIONAL: (NATIONAL, ISDN),
    None: (UNKNOWN, UNKNOWN),
}
"""What most operators want; an empty sender is left to the operator."""


def numbering(own: Mapping[str, tuple[int, int]]) -> Numbering:
    """Return what an operator wants of each kind of address; `own` says, by kind or for all, what is not usual."""
    rest = own.get(EVERY)
    return {kind: own.get(kind.value if kind else "", rest or usual) for kind, usual in USUAL.items()}


def numbered(address: str, wanted: Numbering) -> tuple[int, int]:
    """Return (ton, npi) of an address."""
    return wanted[kind_of(address)]
