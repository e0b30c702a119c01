"""Prices, per country and range (contract 2.1, 2.5); money is Decimal, and integer micro-euros where it is kept."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from esito.domain.message import Range

MICROS = Decimal(1_000_000)

_SHOWN = Decimal("0.001")
"""Amounts are shown with at most three decimal places (contract 2.2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceList:
    """What one segment costs."""

    default: Decimal | None = Decimal("0.045")
    """Of the premium range, where a country has no price of its own; None: other countries are not served."""
    low_cost: Decimal | None = Decimal("0.040")
    """Of the low cost range, wherever the number is; None: the range is not served."""
    countries: Mapping[str, Decimal] = field(default_factory=dict)
    """Of the premium range by ISO 3166 country code; none of them is needed."""

    def price(self, country: str | None, gamme: int) -> Decimal | None:
        """Return the price of a segment; None where there is none (code 13), as for numbers of no country."""
        if country is None:
            return None
        if gamme == Range.LOW_COST:
            return self.low_cost
        return self.countries.get(country, self.default)


def cost(price: Decimal, segments: int) -> Decimal:
    """Return what the segments of one recipient cost (contract 2.5)."""
    return price * segments


def to_micros(amount: Decimal) -> int:
    """Return whole micro-euros. Raises ValueError when the amount has a finer part."""
    micros = amount * MICROS
    if micros != micros.to_integral_value():
        raise ValueError(f"{amount} has more than six decimal places")
    return int(micros)


def from_micros(micros: int) -> Decimal:
    """Return an amount without trailing zeros."""
    amount = Decimal(micros) / MICROS
    return amount.quantize(Decimal(1)) if amount == amount.to_integral_value() else amount.normalize()


def as_number(amount: Decimal) -> int | float:
    """Return the number that JSON shows: 0.045, 0.09, 3; a finer amount is rounded, half up.

    Sums are made in Decimal and converted last, so that an outer cost equals the sum of
    its items as it is printed (contract 2.2).
    """
    shown = amount.quantize(_SHOWN, ROUND_HALF_UP)
    return int(shown) if shown == shown.to_integral_value() else float(shown)
