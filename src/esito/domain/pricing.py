"""Prices per country and range (contract 2.1, 2.5); money is Decimal here, and integer micro-euros in the store."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from esito.domain.account import HOME
from esito.domain.message import Range
from esito.domain.msisdn import country_of, longest_prefix

MICROS = Decimal(1_000_000)

_SHOWN = Decimal("0.001")
"""Amounts are shown with at most three decimal places (contract 2.2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceList:
    """What one segment costs."""

    home: str = HOME
    """ISO 3166 code of the country of `default` and `low_cost`; other countries need a price of their own."""
    default: Decimal | None = Decimal("0.045")
    """Premium price in the home country, unless it has a price of its own; None: it needs one."""
    low_cost: Decimal | None = Decimal("0.040")
    """Low cost price, for the home country only; None: the range is not served."""
    countries: Mapping[str, Decimal] = field(default_factory=dict)
    """Premium prices by ISO 3166 country code."""
    prefixes: Mapping[str, Decimal] = field(default_factory=dict)
    """Premium prices by prefix (`+3933`): the longest counts, and wins over the country."""

    def price_of(self, msisdn: str, gamme: int) -> Decimal | None:
        """Return the price of a segment to a number (E.164 with plus); None if there is none (code 13)."""
        prefix = longest_prefix(msisdn, self.prefixes) if gamme != Range.LOW_COST else None
        return self.price(country_of(msisdn), gamme) if prefix is None else self.prefixes[prefix]

    def price(self, country: str | None, gamme: int) -> Decimal | None:
        """Return the price of a segment to a country; None if there is none, as for numbers of no country."""
        if gamme == Range.LOW_COST:
            return self.low_cost if country == self.home else None
        return self.countries.get(country or "", self.default if country == self.home else None)


def cost(price: Decimal, segments: int) -> Decimal:
    """Return what the segments of one recipient cost (contract 2.5)."""
    return price * segments


def to_micros(amount: Decimal) -> int:
    """Return whole micro-euros. Raises ValueError for more than six decimal places."""
    micros = amount * MICROS
    if micros != micros.to_integral_value():
        raise ValueError(f"{amount} has more than six decimal places")
    return int(micros)


def from_micros(micros: int) -> Decimal:
    """Return an amount without trailing zeros."""
    amount = Decimal(micros) / MICROS
    return amount.quantize(Decimal(1)) if amount == amount.to_integral_value() else amount.normalize()


def as_number(amount: Decimal) -> int | float:
    """Return the number that JSON shows: 0.045, 0.09, 3; a finer amount is rounded half up.

    Sum in Decimal and convert last, so that a total equals the sum of its items as printed
    (contract 2.2).
    """
    shown = amount.quantize(_SHOWN, ROUND_HALF_UP)
    return int(shown) if shown == shown.to_integral_value() else float(shown)
