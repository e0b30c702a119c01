"""What the plan of each country makes of a number; phonenumbers, whose data the table is made of, is the judge."""

import sys
import unicodedata
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import version
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from esito.domain.msisdn import InvalidMsisdn, normalise, plain, read_address
from esito.domain.national_numbers import calling_code, code_of_country
from esito.domain.number_plans import SHAPES, VERSION, rows_of

PLANS = rows_of(SHAPES)

SAME_LINE = [
    # The departments of France share its national numbers.
    ("+590690123456", "+33690123456", "+33 (0)6 90 12 34 56", "0690123456", "33690123456", "+590 0690 12 34 56"),
    ("+590691223456", "+33691223456", "0033691223456", "0691 22 34 56"),
    ("+262692123456", "+33692123456", "+33 0692123456", "0692123456", "+262 (0)692123456"),
    ("+262693123456", "+33693123456", "0693123456"),
    ("+262639123456", "+33639123456", "0639123456"),
    ("+594694123456", "+33694123456", "0694123456"),
    ("+596696123456", "+33696123456", "0696123456"),
    ("+596697123456", "+33697123456", "0697123456"),
    ("+590709012345", "+33709012345", "0709012345"),
    ("+508708401234", "+33708401234", "0708401234"),
    # A trunk zero behind the calling code.
    ("+447700900123", "+4407700900123", "+44 (0)7700 900123", "00 44 07700 900123", "447700900123"),
    ("+4915112345678", "+49 0151 12345678", "+49 (0)151 12345678", "0049 0151-123 456 78", "4915112345678"),
    ("+32470123456", "+32 0470 12 34 56", "+32(0)470123456"),
    ("+79161234567", "+7 8 916 123-45-67", "79161234567"),
    ("+36301234567", "+36 06 30 123 4567", "+36 30 123 4567"),
    ("+37061234567", "+370 8 612 34567", "+370 0 612 34567"),
    ("+12125550123", "+1 1 212 555 0123", "1-212-555-0123"),
    ("+375291234567", "+375 8 029 123 45 67", "+375 80 29 123 45 67"),
    # A zero that belongs to the number.
    ("+390612345678", "+39 06 1234 5678", "+39 (0)6 1234 5678", "00390612345678"),
    ("+393331234567", "+39 333 1234567", "+39 (0)333 1234567"),
    ("+390321123456", "+39 0321 123456"),
    ("+2250707123456", "+225 07 07 12 34 56", "+225 (0)7 07 12 34 56"),
    ("+242061234567", "+242 06 123 4567"),
    ("+22670123456", "+226 70 12 34 56"),
    # Plans that have changed, and marks of a mobile.
    ("+525512345678", "+5215512345678", "+52 1 55 1234 5678", "0052 55 1234 5678", "5215512345678"),
    ("+5491112345678", "+541112345678", "+54 9 11 1234-5678", "+54 11 15 1234-5678", "+54 011 15 1234-5678"),
    ("+5511987654321", "+551187654321", "+55 (0)11 98765-4321", "+55 0 15 11 98765-4321"),
    ("+24106031234", "+241 6 03 12 34", "+241 06 03 12 34"),
    ("+573001234567", "+57 0 300 1234567", "+57 03 300 1234567"),
    ("+2290197123456", "+22997123456", "+229 01 97 12 34 56"),
]  # fmt: skip


@pytest.mark.parametrize(("msisdn", "spellings"), [(first, (first, *more)) for first, *more in SAME_LINE])
def test_every_spelling_of_a_line_is_one_number(msisdn: str, spellings: tuple[str, ...]) -> None:
    assert {spelling: normalise(spelling) for spelling in spellings} == dict.fromkeys(spellings, msisdn)


@pytest.mark.parametrize(
    ("old", "new"), [("07123456", "0707123456"), ("44123456", "0544123456"), ("01123456", "0101123456")]
)
def test_an_ivorian_number_of_before_2021_gets_the_digits_of_its_network(old: str, new: str) -> None:
    assert normalise(f"+225{old}") == normalise(f"+225{new}") == f"+225{new}"


@pytest.mark.parametrize(
    "raw",
    [
        "687123456", "612345678", "690123456", "298523456",  # nine digits: a French number without its 0
        "+590692123456", "+262690123456", "+594696123456", "+262612345678",  # behind the code of another department
        "+34 0612345678", "+351 0912345678", "+47 0 40612345",  # a zero where no plan has one
        "+39 0312 3456789", "+247 044444",  # a landline, or a mobile behind a zero
        "+39 0333 1234567",  # nobody's landline, somebody's mobile
        "+39 (0)321 123456",  # a landline, or a mobile
        "+225 7 07 12 34 56", "+39 6 1234 5678",  # without a zero that belongs there
        "+447700", "+44 770090012345", "+1 123 456 7890", "+5201234567890", "+33 0 0612345678", "+999123456789",
        "\u202e876543216 33+",  # written backwards and shown forwards
        "\u0660612345678", "+33 6 12 34 56 7\u00b2", "+33 6 12 34 56 78 ext 5", "06 12 34 56 78 ou 79",
    ],
)  # fmt: skip
def test_what_the_plan_does_not_know_or_could_be_another_is_refused(raw: str) -> None:
    with pytest.raises(InvalidMsisdn):
        normalise(raw)


LOOKING_PERFECT = [
    "\u00ad", "\u034f", "\u061c", "\u115f", "\u180e", "\u200b", "\u200c", "\u200d", "\u200e", "\u200f", "\u202a",
    "\u202c", "\u202d", "\u2060", "\u2061", "\u2066", "\u2069", "\u3164", "\ufe0e", "\ufe0f", "\ufeff", "\uffa0",
    "\ufff9", "\ufffb", "\U000e0020",  # show nothing
    "\u00a0", "\u1680", "\u2000", "\u2003", "\u2007", "\u2008", "\u2009", "\u200a", "\u202f", "\u205f", "\u3000",
    "\u2028", "\u2029", "\u2800", "\u0085", "\v", "\f",  # blanks
    "\u058a", "\u2010", "\u2011", "\u2012", "\u2013", "\u2014", "\u2015", "\u2043", "\u2212", "\u2e3a",
    "\ufe58", "\ufe63", "\uff0d", "\u30fc", "\u2053", "\u2500", "\u2796",  # dashes
    "\uff0e", "\uff0f", "\u00b7", "[", "]", "\uff08", "\uff09",
]  # fmt: skip


@pytest.mark.parametrize("sign", LOOKING_PERFECT)
def test_what_shows_nothing_blanks_and_dashes_are_punctuation(sign: str) -> None:
    for raw in (
        f"{sign}+33 6{sign}12345678{sign}",
        f"06{sign}12{sign}34{sign}56{sign}78",
        f"{sign}0033{sign}612345678",
    ):
        assert normalise(raw) == "+33612345678"
        assert read_address(raw) == "+33612345678"


SHOWN = {0x0600, 0x0601, 0x0602, 0x0603, 0x0604, 0x0605, 0x06DD, 0x070F, 0x0890, 0x0891, 0x08E2, 0x110BD, 0x110CD}
"""Signs of format that are seen (Unicode's Prepended_Concatenation_Mark)."""
HIEROGLYPHS = range(0x13430, 0x13440)
TURNED_ROUND = 0x202E


def test_all_of_unicode_that_is_a_blank_a_dash_or_of_format_is_punctuation() -> None:
    those = [one for one in range(0x110000) if unicodedata.category(chr(one)) in {"Cf", "Zs", "Zl", "Zp", "Pd"}]
    mean_something = {one for one in those if plain(chr(one))}
    assert mean_something - set(HIEROGLYPHS) == SHOWN | {TURNED_ROUND}


def test_full_width_digits_are_digits() -> None:
    for raw in ("+33612345678", "0612345678", "+33(0)6 12-34.56/78"):
        assert (
            normalise("".join(chr(ord(sign) + 0xFEE0) if sign != " " else "\u3000" for sign in raw)) == "+33612345678"
        )


@pytest.fixture(scope="module")
def judge() -> Iterator[Any]:
    """The library, for these tests only: others look whether the server has loaded it."""
    yield import_module("phonenumbers")
    for name in [name for name in sys.modules if name.split(".")[0] == "phonenumbers"]:
        del sys.modules[name]


@some.composite
def known_numbers(draw: some.DrawFn) -> str:
    """Return a number that a plan knows, E.164 without the plus."""
    code = draw(some.sampled_from(sorted(PLANS)))
    return code + draw(some.from_regex(PLANS[code][0], fullmatch=True, alphabet=some.sampled_from("0123456789")))


def read(raw: str) -> str | None:
    try:
        return normalise(raw)
    except InvalidMsisdn:
        return None


@given(known_numbers(), some.sampled_from(["", "0", "8", "1", "06", "80", "(0)", "(0) "]))
@example("390333123456", "(0)")
@example("5511787654321", "0")
def test_every_way_of_writing_a_number_gives_it_or_nothing(judge: Any, digits: str, trunk: str) -> None:
    code = calling_code(digits)
    assert code is not None
    national = digits[len(code) :]
    whole = read(f"+{digits}")
    if whole is None:
        return
    ways = [
        digits,
        f"00{digits}",
        f"+{code} {national}",
        f"+{code}-{national[:3]}/{national[3:]}",
        f"(+{code}) {national}",
    ]
    assert {read(way) for way in ways} <= {whole, None}
    meant = {f"0{national}", f"({trunk}){national}"} if trunk.strip("()") == "0" else {f"{trunk}{national}"}
    for way in meant:
        behind = read(f"+{code}{way}")
        # Digits that are a whole number as they stand, zero and all, are that number: it is written so.
        if behind not in (None, whole):
            assert behind == read(f"+{code}{''.join(filter(str.isdigit, way))}")
            assert judge.is_possible_number(judge.parse(behind))


def test_the_judges_examples_are_accepted_and_mean_themselves_in_every_format(judge: Any) -> None:
    seen = 0
    for region in judge.SUPPORTED_REGIONS:
        mobile = judge.example_number_for_type(region, judge.PhoneNumberType.MOBILE)
        if mobile is None or mobile.country_code * 10 ** len(str(mobile.national_number)) < 10**7:
            continue  # fewer than eight digits in all: a few islands
        e164, international, national, address = (judge.format_number(mobile, style) for style in (0, 1, 2, 3))
        assert {normalise(way) for way in (e164, international, f"00{e164[1:]}")} == {e164}
        assert read(e164[1:]) in (e164, None)
        assert read_address(address) == e164
        if code_of_country(region) is not None:
            assert read_address(national, country=region, national=True) == e164
        # A trunk prefix where the plan has one; where it has none nothing stands there.
        assert normalise(f"+{mobile.country_code} {national}") == e164
        seen += 1
    assert seen > 200


@given(some.data())
def test_a_mobile_behind_any_prefix_of_its_plan_is_that_mobile_or_refused(judge: Any, data: some.DataObject) -> None:
    region = data.draw(some.sampled_from(sorted(judge.SUPPORTED_REGIONS)))
    plan = judge.PhoneMetadata.metadata_for_region(region)
    if plan.mobile is None or not plan.mobile.national_number_pattern:
        return
    digits = some.sampled_from("0123456789")
    national = data.draw(some.from_regex(plan.mobile.national_number_pattern, fullmatch=True, alphabet=digits))
    code = judge.country_code_for_region(region)
    whole = read(f"+{code}{national}")
    assert whole is not None or len(f"{code}{national}") < 8
    assert whole == f"+{code}{national}" or code == 241 or whole is None
    for prefix in {plan.national_prefix or "0", "0", "(0)", f"({plan.national_prefix or 0})"}:
        behind = read(f"+{code}{prefix}{national}")
        # Nine digits are an old mobile, and with a zero before them a landline that is written as it should be.
        assert behind in (whole, None) or (code == 39 and len(national) == 9)
        assert behind == whole or prefix.strip("()") != plan.national_prefix or whole is None


@given(some.from_regex(r"[67][0-9]{8}", fullmatch=True, alphabet=some.sampled_from("0123456789")))
def test_a_french_mobile_is_one_number_however_it_is_written(judge: Any, national: str) -> None:
    one = normalise(f"+33{national}")
    for way in (f"0{national}", f"0033{national}", f"33{national}", f"+330{national}", f"+33 (0){national}"):
        assert normalise(way) == one
    assert normalise(one) == one
    parsed = judge.parse(one)
    if judge.is_valid_number(judge.parse(f"+33{national}")):
        assert one == f"+33{national}"
    elif judge.is_valid_number(parsed):
        assert parsed.country_code in {262, 508, 590, 594, 596}


@given(some.text(max_size=25))
def test_whatever_is_written_is_a_number_of_a_plan_or_refused(judge: Any, raw: str) -> None:
    one = read(raw)
    assert one is None or judge.format_number(judge.parse(one), 0) == one == normalise(one)


def test_the_table_is_that_of_the_installed_version(judge: Any) -> None:
    number_plans = import_module("scripts.number_plans")
    assert version("phonenumbers") == VERSION, "run scripts/number_plans.py"
    assert number_plans.TABLE.read_text(encoding="utf-8") == number_plans.table(), "run scripts/number_plans.py"


@pytest.mark.parametrize(
    ("country", "code"),
    [
        ("FR", "33"),
        ("RE", "262"),
        ("YT", "262"),
        ("US", "1"),
        ("CA", "1"),
        ("KZ", "7"),
        ("GB", "44"),
        ("JE", "44"),
        ("ZZ", None),
    ],
)
def test_a_country_has_a_calling_code(country: str, code: str | None) -> None:
    assert code_of_country(country) == code
