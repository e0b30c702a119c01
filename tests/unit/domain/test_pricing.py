import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esito.domain.account import ISO_COUNTRIES
from esito.domain.message import Range
from esito.domain.pricing import PriceList, as_number, cost, from_micros, to_micros

AMOUNTS = st.decimals("-1000000", "1000000", places=6)


def test_without_settings_a_segment_costs_what_the_contract_says() -> None:
    assert PriceList().price("FR", Range.PREMIUM) == Decimal("0.045")
    assert PriceList().price("FR", Range.LOW_COST) == Decimal("0.040")


def test_a_country_goes_before_the_default_in_the_premium_range_only() -> None:
    prices = PriceList(countries={"IT": Decimal("0.08"), "FR": Decimal("0.05")})
    assert prices.price("IT", Range.PREMIUM) == Decimal("0.08")
    assert prices.price("FR", Range.PREMIUM) == Decimal("0.05")
    assert prices.price("FR", Range.LOW_COST) == Decimal("0.040")


@pytest.mark.parametrize("gamme", Range)
@pytest.mark.parametrize("home", ["FR", "IT"])
def test_what_is_not_written_is_the_price_of_the_home_country_alone(home: str, gamme: Range) -> None:
    priced = {country for country in ISO_COUNTRIES if PriceList(home=home).price(country, gamme) is not None}
    assert priced == {home}


def test_the_longest_prefix_goes_before_the_country_in_the_premium_range() -> None:
    prices = PriceList(
        countries={"IT": Decimal("0.08")}, prefixes={"+39": Decimal("0.09"), "+3933": Decimal(0), "+881": Decimal(1)}
    )
    assert prices.price_of("+393331234567", Range.PREMIUM) == 0
    assert prices.price_of("+393471234567", Range.PREMIUM) == Decimal("0.09")
    assert prices.price_of("+881612345678", Range.PREMIUM) == 1
    assert prices.price_of("+393331234567", Range.LOW_COST) is None
    assert prices.price_of("+33612345678", Range.PREMIUM) == Decimal("0.045")


@pytest.mark.parametrize("gamme", Range)
def test_a_number_of_no_country_has_no_price(gamme: Range) -> None:
    assert PriceList().price(None, gamme) is None


def test_without_a_default_only_the_listed_countries_have_a_price() -> None:
    prices = PriceList(default=None, low_cost=None, countries={"FR": Decimal("0.045")})
    assert prices.price("FR", Range.PREMIUM) == Decimal("0.045")
    assert prices.price("IT", Range.PREMIUM) is None
    assert prices.price("FR", Range.LOW_COST) is None


def test_every_segment_costs() -> None:
    assert cost(Decimal("0.045"), 3) == Decimal("0.135")


@pytest.mark.parametrize(
    ("amount", "shown"),
    [("0.045", "0.045"), ("0.090", "0.09"), ("3.000", "3"), ("0", "0"), ("1E+2", "100"), ("0.0455", "0.046"),
     ("0.0004", "0"), ("-0.5", "-0.5")],
)  # fmt: skip
def test_json_shows_an_amount_with_at_most_three_places_and_no_zeros(amount: str, shown: str) -> None:
    assert json.dumps(as_number(Decimal(amount))) == shown


@given(st.lists(st.tuples(st.sampled_from(["0.045", "0.04", "0.038", "0.049"]), st.integers(1, 10)), max_size=500))
def test_a_printed_sum_is_the_sum_of_its_printed_items(items: list[tuple[str, int]]) -> None:
    costs = [cost(Decimal(price), segments) for price, segments in items]
    printed = [Decimal(json.dumps(as_number(one))) for one in costs]
    assert Decimal(json.dumps(as_number(sum(costs, Decimal(0))))) == sum(printed, Decimal(0))


def test_two_items_sum_up_as_floats_too() -> None:
    one = Decimal("0.045")
    assert as_number(one) + as_number(one) == as_number(one + one)


@given(AMOUNTS)
def test_micro_euros_keep_an_amount_exactly(amount: Decimal) -> None:
    assert from_micros(to_micros(amount)) == amount


@pytest.mark.parametrize(
    ("micros", "written"), [(45_000, "0.045"), (90_000, "0.09"), (100_000_000, "100"), (0, "0"), (1, "0.000001")]
)
def test_an_amount_is_written_plainly(micros: int, written: str) -> None:
    assert f"{from_micros(micros):f}" == written


def test_an_amount_finer_than_a_micro_euro_is_refused() -> None:
    with pytest.raises(ValueError, match="six decimal places"):
        to_micros(Decimal("0.0000001"))
