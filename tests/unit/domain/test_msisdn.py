from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esito.domain.display import mask
from esito.domain.errors import EsitoError
from esito.domain.msisdn import (
    InvalidMsisdn,
    country_of,
    is_mobile,
    longest_prefix,
    normalise,
    normalise_many,
    split_numbers,
)

# Every way the contract and real clients write one number (2.1; 6, rows 15 and 24).
SAME = [
    "+33612345678", "33612345678", "0033612345678", "0612345678", " 33612345678", "06 12 34 56 78", "06.12.34.56.78",
    "06-12-34-56-78", "+33 6 12 34 56 78", "+33 (0)6 12 34 56 78", "0033 (0) 6 12345678",
    "+33(0)612345678", "+33 06 12 34 56 78", "(06) 12 34 56 78", "(0)6 12 34 56 78", "06/12/34/56/78",
    "06\u00a012\u202f34\u200956 78", "\u202a+33 6 12 34 56 78\u202c", "  0612345678 ", "\t06 12 34 56 78\n",
    "00 33 6 12 34 56 78", "06‑12–34-56-78",
]  # fmt: skip

ELSEWHERE = [
    ("261341234567", "+261341234567"),
    ("+261 34 12 345 67", "+261341234567"),
    ("00261341234567", "+261341234567"),
    ("+393331234567", "+393331234567"),
    ("+1 (212) 555-0123", "+12125550123"),
    ("0123456789", "+33123456789"),
    ("+881612345678", "+881612345678"),  # a satellite phone: a number, if of no country
    ("+687 72 34 56", "+687723456"),
]

OVERSEAS = [
    ("0690123456", "+590690123456", "GP"),
    ("0691223456", "+590691223456", "GP"),
    ("0692123456", "+262692123456", "RE"),
    ("0693123456", "+262693123456", "RE"),
    ("0639123456", "+262639123456", "YT"),
    ("0694123456", "+594694123456", "GF"),
    ("0696123456", "+596696123456", "MQ"),
    ("0697 12 34 56", "+596697123456", "MQ"),
    ("0709012345", "+590709012345", "GP"),
    ("0709112345", "+596709112345", "MQ"),
    ("0709212345", "+262709212345", "RE"),
    ("0709312345", "+594709312345", "GF"),
    ("0709351234", "+262709351234", "YT"),
]

WRONG = [
    "", " ", "+", "00", "0", "abc", "922264", "0000000000", "+33", "+3361234567", "+336123456789", "061234567",
    "06123456789", "0612345678x", "06a2345678", "++33612345678", "33+612345678", "+0033612345678", "+33612345678;1",
    "٠٦١٢٣٤٥٦٧٨", "+٣٣٦١٢٣٤٥٦٧٨", "³³612345678", "+21012345678", "+1234567890123456", "336.5e8", "tel:+33612345678",
    "612345678", "712345678", "687123456",  # a French number without its 0 is neither Australian nor Russian
    "+121255501234", "+59069012345", "+33612345678,+33612345679", "0612345678\x00",
]  # fmt: skip


@pytest.mark.parametrize("raw", SAME)
def test_every_way_of_writing_a_number_is_the_same_number(raw: str) -> None:
    assert normalise(raw) == "+33612345678"


@pytest.mark.parametrize(("raw", "msisdn"), ELSEWHERE)
def test_numbers_that_begin_with_a_calling_code_keep_it(raw: str, msisdn: str) -> None:
    assert normalise(raw) == msisdn


@pytest.mark.parametrize(("raw", "msisdn", "country"), OVERSEAS)
def test_national_numbers_of_overseas_departments_get_their_own_calling_code(
    raw: str, msisdn: str, country: str
) -> None:
    assert normalise(raw) == msisdn
    assert country_of(msisdn) == country
    assert is_mobile(msisdn) is True


@pytest.mark.parametrize("raw", WRONG)
def test_what_is_no_number_is_refused_and_given_back(raw: str) -> None:
    with pytest.raises(InvalidMsisdn) as caught:
        normalise(raw)
    assert caught.value.raw == raw
    assert isinstance(caught.value, EsitoError)
    assert isinstance(caught.value, ValueError)


@given(st.text(st.sampled_from("0123456789+ ().-6733x"), max_size=20))
def test_a_normalised_number_is_its_own_normal_form(raw: str) -> None:
    try:
        msisdn = normalise(raw)
    except InvalidMsisdn:
        return
    assert msisdn[0] == "+"
    assert msisdn[1:].isdecimal()
    assert 8 <= len(msisdn[1:]) <= 15
    assert normalise(msisdn) == msisdn


@given(st.from_regex(r"[67][0-9]{8}", fullmatch=True))
def test_the_short_way_and_the_long_way_agree(subscriber: str) -> None:
    for prefix in ("+33", "33", "0033", "0"):
        short = normalise(prefix + subscriber)
        assert normalise(f" {prefix}{subscriber}") == short  # the blank leads past the pattern of common forms
        assert normalise_many([prefix + subscriber]) == [short]


def test_many_numbers_keep_their_order() -> None:
    assert normalise_many(["0612345678", "+393331234567", "0690123456", "07 12 34 56 78"]) == [
        "+33612345678",
        "+393331234567",
        "+590690123456",
        "+33712345678",
    ]


def test_all_wrong_numbers_of_a_list_are_given_back() -> None:
    with pytest.raises(InvalidMsisdn, match="922264") as caught:
        normalise_many(["922264", "0612345678", "abc"])
    assert caught.value.raw == "922264"
    assert caught.value.raws == ("922264", "abc")


@pytest.mark.parametrize(
    ("value", "numbers"),
    [
        ("", []),
        (" , ,", []),
        ("0612345678", ["0612345678"]),
        ("0612345678, 06 87 65 43 21 ,,+393331234567", ["0612345678", "06 87 65 43 21", "+393331234567"]),
    ],
)
def test_a_list_is_split_at_its_commas(value: str, numbers: Sequence[str]) -> None:
    assert split_numbers(value) == numbers


@pytest.mark.parametrize(
    ("msisdn", "country"),
    [
        ("+33612345678", "FR"),
        ("+393331234567", "IT"),
        ("+12125550123", "US"),
        ("+14165550123", "CA"),
        ("+18765550123", "JM"),
        ("+18095550123", "DO"),
        ("+79161234567", "RU"),
        ("+77011234567", "KZ"),
        ("+447911123456", "GB"),
        ("+447797123456", "JE"),
        ("+261341234567", "MG"),
        ("+262692123456", "RE"),
        ("+262639123456", "YT"),
        ("+5999123456", "CW"),
        ("+5997123456", "BQ"),
        ("+38344123456", "XK"),
        ("+881612345678", None),
        ("+21012345678", None),
    ],
)
def test_the_longest_calling_code_names_the_country(msisdn: str, country: str | None) -> None:
    assert country_of(msisdn) == country


@pytest.mark.parametrize(
    ("msisdn", "mobile"),
    [
        ("+33612345678", True),
        ("+33712345678", True),
        ("+33123456789", False),
        ("+33912345678", False),
        ("+262262123456", False),
        ("+590590123456", False),
        ("+393331234567", None),
        ("+12125550123", None),
        ("+881612345678", None),
    ],
)
def test_we_know_which_french_numbers_are_mobile_and_nothing_of_others(msisdn: str, mobile: bool | None) -> None:
    assert is_mobile(msisdn) is mobile


@given(st.from_regex(r"[1-9][0-9]{7}", fullmatch=True), st.from_regex("[0-9]{3}", fullmatch=True))
def test_eight_digits_tell_country_and_kind(beginning: str, end: str) -> None:
    """Accepting a send works out price and link once for numbers that begin alike."""
    assert country_of(f"+{beginning}{end}") == country_of(f"+{beginning}999")
    assert is_mobile(f"+{beginning}{end}") == is_mobile(f"+{beginning}999")


@pytest.mark.parametrize(
    ("msisdn", "shown"), [("+33612345678", "+336******78"), ("0612345678", "0612****78"), ("12345", "*****"), ("", "")]
)
def test_a_masked_number_cannot_be_called(msisdn: str, shown: str) -> None:
    assert mask(msisdn) == shown


@pytest.mark.parametrize(
    ("prefixes", "longest"),
    [
        (["+33", "+336", "+3", "+34"], "+336"),
        (["+34"], None),
        (["", "+34"], ""),
        (["", "+33"], "+33"),
        ([], None),
    ],
)
def test_the_longest_prefix_wins(prefixes: Sequence[str], longest: str | None) -> None:
    assert longest_prefix("+33612345678", prefixes) == longest
