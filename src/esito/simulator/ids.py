"""Which ids an operator gives its messages: counted on in decimal or hexadecimal, without order, or as UUIDs."""

import random
import uuid
from enum import Enum
from typing import NamedTuple

from esito.simulator.fates import IdForm

LOWEST, HIGHEST = 10_000_000, 89_999_999
"""Between what numbers a counter begins: eight digits, as those of operators that have been at work for a while."""

TEN_DIGITS = 10**9


class IdKind(Enum):
    """How an operator makes its ids."""

    COUNTER = "counter"
    """Counted on, written in decimal."""
    HEX = "hex"
    """Counted on, written in hexadecimal."""
    DECIMAL = "decimal"
    """Ten decimal digits, in no order."""
    UUID = "uuid"


class SmscId(NamedTuple):
    """The id of one message: the number behind it, and how its operator writes it."""

    number: int
    text: str

    def written(self, form: IdForm | None) -> str:
        """Return the id in a form; None: as its operator writes it."""
        return self.text if form is None else form.write(self.number)


class Ids:
    """Hands out ids, one after the other; after `wrap` of them the first one comes again."""

    def __init__(self, kind: IdKind = IdKind.COUNTER, *, start: int | None = None, wrap: int = 0, seed: object = None):
        """`start`: the first number of a counter; None: a random one. `wrap`: 0 is never. `seed`: of the dice."""
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
                return SmscId(number, IdForm.DECIMAL.write(number))
            case IdKind.HEX:
                return SmscId(number, IdForm.HEX.write(number))
            case IdKind.DECIMAL:
                # A step that shares no factor with the range meets every number once before any comes again.
                scattered = TEN_DIGITS + (self._salt + number * 618_033_989) % (9 * TEN_DIGITS)
                return SmscId(scattered, str(scattered))
            case IdKind.UUID:
                bits = random.Random(self._salt + number).getrandbits(128)  # noqa: S311  ids, no secrets
                return SmscId(number, str(uuid.UUID(int=bits, version=4)))
