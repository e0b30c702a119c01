"""One form for a row, whichever engine it was read from, and the sum over the rows of a table.

Rows are hashed one by one and the hashes are added up: so neither engine need sort, and no table need fit in memory.
"""

from collections.abc import Iterable, Sequence
from hashlib import blake2b

import msgspec

from esito.store.copy.tables import TableChecksum

MODULUS = 2**128

_encode = msgspec.msgpack.Encoder().encode


def canonical(row: Sequence[object]) -> bytes:
    """Return the octets that stand for a row: equal for equal values of equal types, and for no others."""
    try:
        return _encode(row)
    except UnicodeEncodeError:  # half of a surrogate pair
        return b"surrogates" + ascii(tuple(row)).encode()


class Sum:
    """Adds up rows as they come by."""

    def __init__(self) -> None:
        self._rows = 0
        self._total = 0

    def add(self, rows: Iterable[Sequence[object]]) -> None:
        """Take in some more rows."""
        for row in rows:
            self._rows += 1
            self._total += int.from_bytes(blake2b(canonical(row), digest_size=16).digest(), "big")
        self._total %= MODULUS

    @property
    def extent(self) -> TableChecksum:
        """What came by so far."""
        return TableChecksum(self._rows, self._total)
