"""The message ids of an operator: counted in decimal or hexadecimal, scattered, or UUIDs; and how they are written."""

import random
import uuid
from enum import Enum
from typing import NamedTuple

LOWEST, HIGHEST = 10_000_000, 89_999_999
"""A counter begins between these: eight digits, like those of an operator that has run for a while."""

TEN_DIGITS = 10**9


class IdNotation(Enum):
    """How a message id is written."""

    DECIMAL = "decimal"
    HEX = "hex"
    HEX_UPPER = "hex-upper"
    PADDED = "padded"
    """Decimal, padded with zeros to twenty digits."""

    def write(self, number: int) -> str:
        """Return the id as text."""
        return format(number, _FORMATS[self])


_FORMATS = {IdNotation.DECIMAL: "d", IdNotation.HEX: "x", IdNotation.HEX_UPPER: "X", IdNotation.PADDED: "020d"}


class IdKind(Enum):
    """How an operator makes its ids."""

    COUNTER = "counter"
    """Counted, written in decimal."""
    HEX = "hex"
    """Counted, written in hexadecimal."""
    DECIMAL = "decimal"
    """Ten decimal digits, in no particular order."""
    UUID = "uuid"


class SmscId(NamedTuple):
    """The id of one message: its number, and how the operator writes it."""

    number: int
    text: str

    def written(self, form: IdNotation | None) -> str:
        """Return the id in a notation; None: as its operator writes it."""
        return self.text if form is None else form.write(self.number)


class Ids:
    """Makes ids; after `wrap` of them the first one comes again."""

    def __init__(self, kind: IdKind = IdKind.COUNTER, *, start: int | None = None, wrap: int = 0, seed: object = None):
        """`start`: the first number of a counter; None: a random one. `wrap`: 0: never. `seed`: of random numbers."""
        self._kind = kind
        dice = random.Random(f"ids {seed}") if seed is not None else random.Random()  # noqa: S311  no secrets
        self._salt = dice.getrandbits(128)
        self._first = start if start is not None else dice.randint(LOWEST, HIGHEST)
        self._wrap = wrap
        self._given = 0

    def next(self) -> SmscId:
        """Return the id of the next message."""
        turn = self._given % self._wrap if self._wrap else self._given
        self._given += 1
        number = self._first + turn
        match self._kind:
            case IdKind.COUNTER:
                return SmscId(number, IdNotation.DECIMAL.write(number))
            case IdKind.HEX:
                return SmscId(number, IdNotation.HEX.write(number))
            case IdKind.DECIMAL:
                # The step is coprime to the range, so every number comes once before any repeats.
                scattered = TEN_DIGITS + (self._salt + number * 618_033_989) % (9 * TEN_DIGITS)
                return SmscId(scattered, str(scattered))
            case IdKind.UUID:
                bits = random.Random(self._salt + number).getrandbits(128)  # noqa: S311  ids, no secrets
                return SmscId(number, str(uuid.UUID(int=bits, version=4)))
