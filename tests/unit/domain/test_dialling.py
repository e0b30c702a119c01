import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esito.domain.dialling import (
    _CODES,
    COUNTRY_OF_PREFIX,
    LENGTHS,
    MOBILE_PREFIXES,
    NON_GEOGRAPHIC,
    OVERSEAS,
)
from esito.domain.msisdn import country_of


def test_every_prefix_is_digits_and_every_country_a_code_of_two_letters() -> None:
    assert all(re.fullmatch(r"[1-9]\d*", prefix) for prefix in COUNTRY_OF_PREFIX)
    assert all(re.fullmatch("[A-Z]{2}", country) for country in COUNTRY_OF_PREFIX.values())


def test_no_prefix_stands_in_the_table_twice() -> None:
    written = re.findall(r"\d+(?= [A-Z]{2})", _CODES)
    assert sorted(written) == sorted(COUNTRY_OF_PREFIX)


def test_numbers_that_agree_in_eight_digits_are_of_one_country() -> None:
    assert max(map(len, COUNTRY_OF_PREFIX)) <= 8


BEGINNINGS = st.sampled_from(["", *COUNTRY_OF_PREFIX, *(prefix[:-1] for prefix in COUNTRY_OF_PREFIX)])


@given(BEGINNINGS, st.text("0123456789", max_size=9))
def test_a_number_is_of_the_country_of_the_longest_prefix_it_begins_with(beginning: str, rest: str) -> None:
    number = beginning + rest
    prefixes = [prefix for prefix in COUNTRY_OF_PREFIX if number.startswith(prefix)]
    expected = COUNTRY_OF_PREFIX[max(prefixes, key=len)] if prefixes else None
    assert country_of(number) == country_of(f"+{number}") == expected


@pytest.mark.parametrize("shared", ["1", "7"])
def test_a_plan_that_countries_share_has_a_country_for_the_rest_of_it(shared: str) -> None:
    assert shared in COUNTRY_OF_PREFIX


@pytest.mark.parametrize("prefix", [one for one in COUNTRY_OF_PREFIX if len(one) > 3])
def test_a_long_prefix_takes_its_numbers_from_another_country(prefix: str) -> None:
    assert country_of(prefix[:-1]) != COUNTRY_OF_PREFIX[prefix]


@pytest.mark.parametrize("code", NON_GEOGRAPHIC)
def test_a_calling_code_of_no_country_is_in_no_country(code: str) -> None:
    assert country_of(code) is None


@pytest.mark.parametrize(("country", "prefixes"), list(MOBILE_PREFIXES.items()))
def test_every_mobile_range_has_numbers_of_its_own_country(country: str, prefixes: tuple[str, ...]) -> None:
    for prefix in prefixes:
        assert country in {country_of(prefix + digit) for digit in "0123456789"}


def test_overseas_ranges_lead_to_the_five_departments() -> None:
    assert {COUNTRY_OF_PREFIX[code] for code in OVERSEAS.values()} == {"GP", "GF", "MQ", "RE"}
    assert {country_of(OVERSEAS[range_] + range_) for range_ in OVERSEAS} == {"GP", "GF", "MQ", "RE", "YT"}


@pytest.mark.parametrize(("country", "lengths"), sorted(LENGTHS.items()))
def test_lengths_are_of_known_countries_and_within_e164(country: str, lengths: tuple[int, int]) -> None:
    least, most = lengths
    assert country in COUNTRY_OF_PREFIX.values()
    assert 8 <= least <= most <= 15
