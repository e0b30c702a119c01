"""Type of number and numbering plan of an address (SMPP 3.4, 5.2.5 and 5.2.6)."""

from collections.abc import Mapping
from types import MappingProxyType

from esito.domain.address import AddressKind, kind_of

INTERNATIONAL, NATIONAL, ALPHANUMERIC, UNKNOWN, NETWORK = 1, 2, 5, 0, 3
ISDN = 1

EVERY = "all"
"""Stands for every kind that is not named itself."""

USUAL: Mapping[AddressKind | None, tuple[int, int]] = {
    AddressKind.ALPHANUMERIC: (ALPHANUMERIC, UNKNOWN),
    AddressKind.SHORT_CODE: (NETWORK, UNKNOWN),
    AddressKind.INTERNATIONAL: (INTERNATIONAL, ISDN),
    AddressKind.NATIONAL: (NATIONAL, ISDN),
    None: (UNKNOWN, UNKNOWN),
}
"""TON and NPI by kind of address; an empty sender is left to the operator."""

NO_CHANGES: Mapping[str, tuple[int, int]] = MappingProxyType({})


def numbering(address: str, own: Mapping[str, tuple[int, int]] = NO_CHANGES) -> tuple[int, int]:
    """Return (ton, npi) of an address; `own` says, by kind or for all, what an operator wants instead of the usual."""
    kind = kind_of(address)
    if kind is not None and kind.value in own:
        return own[kind.value]
    return own[EVERY] if EVERY in own else USUAL[kind]
