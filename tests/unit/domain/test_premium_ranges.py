"""Numbers that a message costs extra to: the table is made of the numbering plans of phonenumbers."""

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from esito.domain.premium_ranges import LONGEST_PREMIUM, PREMIUM_PREFIXES, is_premium_rate
from scripts import premium_ranges

MODULE = Path(premium_ranges.__file__).parents[1] / "src" / "esito" / "domain" / "premium_ranges.py"


@pytest.fixture(scope="module")
def library() -> Iterator[Any]:
    """The library, which nothing else in this process has loaded or may find loaded."""
    yield import_module("phonenumbers")
    for name in [one for one in sys.modules if one.startswith("phonenumbers")]:
        del sys.modules[name]


@pytest.mark.slow
@pytest.mark.usefixtures("library")
def test_the_table_is_what_the_script_makes() -> None:
    assert MODULE.read_text(encoding="utf-8") == premium_ranges.source()


@pytest.mark.parametrize(
    "msisdn", ["+33899123456", "+19002345678", "+37190123456", "+447012345678", "+4990012345678", "+39899123456"]
)
def test_what_callers_pay_extra_for_is_known(msisdn: str) -> None:
    assert is_premium_rate(msisdn)
    assert is_premium_rate(msisdn[1:])


def test_no_subscriber_is_taken_for_one(library: Any) -> None:
    kinds = library.PhoneNumberType
    examples = [
        library.format_number(example, library.PhoneNumberFormat.E164)
        for region in library.SUPPORTED_REGIONS
        for kind in (kinds.MOBILE, kinds.FIXED_LINE, kinds.VOIP)
        if (example := library.example_number_for_type(region, kind))
    ]
    assert len(examples) > 400
    assert [one for one in examples if is_premium_rate(one)] == []


def test_eight_digits_tell_it() -> None:
    assert max(map(len, PREMIUM_PREFIXES)) == LONGEST_PREMIUM <= premium_ranges.DEEPEST
