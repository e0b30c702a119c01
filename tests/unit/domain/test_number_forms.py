"""Which writings are one subscriber's number, and which only look alike."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from esito.domain.number_forms import are_one, is_same_line, tail_of, tails_of, written_number

ONE = [
    ("33612345678", "33612345678"),
    ("0033612345678", "33612345678"),
    ("01133612345678", "33612345678"),
    ("0612345678", "33612345678"),
    ("612345678", "33612345678"),
    # Argentina: 9 from abroad, 15 at home, neither in some networks.
    ("541112345678", "5491112345678"),
    ("54111512345678", "5491112345678"),
    ("0111512345678", "5491112345678"),
    ("1112345678", "5491112345678"),
    ("54351151234567", "5493511234567"),
    ("54294415123456", "5492944123456"),
    ("5491112345678", "541112345678"),
    ("5491112345678", "54111512345678"),
    # Mexico: the 1 of before 2019, and what was dialled before a mobile at home.
    ("525512345678", "5215512345678"),
    ("5215512345678", "525512345678"),
    ("0445512345678", "525512345678"),
    ("0455512345678", "525512345678"),
    ("015512345678", "525512345678"),
    # Brazil: the ninth digit of mobiles.
    ("551187654321", "5511987654321"),
    ("5511987654321", "551187654321"),
    ("01187654321", "5511987654321"),
    # Trunk prefixes that are no zero.
    ("89161234567", "79161234567"),
    ("87011234567", "77011234567"),
    ("06301234567", "36301234567"),
    ("861234567", "37061234567"),
    ("80291234567", "375291234567"),
    ("01511987654321", "5511987654321"),
    # A trunk 0 behind the calling code, and a 0 of the number left out there.
    ("330612345678", "33612345678"),
    ("+4407912345678", "447912345678"),
    ("39612345678", "390612345678"),
    ("24261234567", "242061234567"),
    ("00700821012345678", "821012345678"),
    ("tel:+33612345678", "33612345678"),
    ("1-301-234-5678", "13012345678"),
    (" ++33 6 12 34 56 78 ", "33612345678"),
    # Ivory Coast: two digits more since 2021, by the network.
    ("22507123456", "2250707123456"),
    ("2250544123456", "22544123456"),
    # A French department overseas, with the calling code of France or at home.
    ("+33690123456", "590690123456"),
    ("0690123456", "590690123456"),
    ("690123456", "590690123456"),
    ("0033692123456", "262692123456"),
    # Benin: 01 before all numbers since 2024.
    ("22997123456", "2290197123456"),
    ("2290197123456", "22997123456"),
    ("0197123456", "22997123456"),
]

TWO = [
    ("33612345679", "33612345678"),
    ("33712345678", "33612345678"),
    ("9999933612345678", "33612345678"),
    ("541112345678", "5491112345679"),
    ("54111512345678", "5493511234567"),
    ("152345678", "5491112345678"),
    ("551127654321", "5511927654321"),
    ("551927654321", "5519927654321"),
    ("89161234567", "49161234567"),
    ("06612345678", "39612345678"),
    ("22997123456", "2290297123456"),
    ("", "33612345678"),
    # International numbers that end like others of ours, or with which ours end.
    ("+8613012345678", "13012345678"),
    ("+4795551234", "14795551234"),
    ("+6591234567", "16591234567"),
    ("+2482512345", "12482512345"),
    ("+2207212345", "12207212345"),
    ("+7912345678", "447912345678"),
    ("13012345678", "33013012345678"),
    ("12345678", "33612345678"),
    ("2345678", "33612345678"),
    ("1234567", "33611234567"),
    ("0000000", "33610000000"),
    ("22505123456", "2250707123456"),
    ("+33690123456", "596690123456"),
    ("+33612345678", "262612345678"),
]


@pytest.mark.parametrize(("written", "msisdn"), ONE)
def test_these_are_one_line_and_found_by_its_tail(written: str, msisdn: str) -> None:
    assert is_same_line(written_number(written), msisdn)
    assert tail_of(msisdn) in tails_of(written_number(written))


@pytest.mark.parametrize(("written", "msisdn"), TWO)
def test_these_only_look_alike(written: str, msisdn: str) -> None:
    assert not is_same_line(written_number(written), msisdn)


NUMBERS = some.one_of(
    some.integers(10**10, 10**11 - 1).map(lambda rest: f"54{rest}"),
    some.integers(10**9, 10**11 - 1).map(lambda rest: f"52{rest}"),
    some.integers(10**9, 10**11 - 1).map(lambda rest: f"55{rest}"),
    some.integers(10**8, 10**14 - 1).map(str),
)


@given(msisdn=NUMBERS, other=NUMBERS)
def test_what_begins_with_a_plus_is_nobody_elses_national_number(msisdn: str, other: str) -> None:
    if is_same_line(f"+{other}", msisdn) and other != msisdn:
        assert msisdn[:2] in {"54", "52", "55", "22"} or other.replace("0", "") == msisdn.replace("0", "")


@given(msisdn=NUMBERS, before=some.text("123456789", min_size=1, max_size=4), fewer=some.integers(1, 6))
def test_what_only_ends_alike_is_another_number(msisdn: str, before: str, fewer: int) -> None:
    assert not is_same_line(f"+{before}{msisdn}", msisdn)
    if not msisdn.startswith(("54", "52", "55", "22")):  # whose plans have several forms
        assert not is_same_line(f"+{msisdn[fewer:]}", msisdn)


@given(one=NUMBERS, other=NUMBERS)
def test_two_writings_are_one_line_whichever_comes_first(one: str, other: str) -> None:
    assert are_one(one, other) == are_one(other, one)
    assert are_one(f"+{one}", one)


@given(msisdn=NUMBERS, other=NUMBERS)
def test_two_numbers_of_the_same_length_are_never_one(msisdn: str, other: str) -> None:
    """A whole number of the length of ours, with another digit anywhere, is somebody else's."""
    if len(msisdn) == len(other) and msisdn != other:
        assert not is_same_line(other, msisdn)


@given(msisdn=NUMBERS, place=some.integers(0, 30), digit=some.sampled_from("0123456789"))
def test_one_other_digit_is_another_subscriber(msisdn: str, place: int, digit: str) -> None:
    """But for Russia, where 8 is dialled before a number that has 7 before it from abroad."""
    place %= len(msisdn)
    other = msisdn[:place] + digit + msisdn[place + 1 :]
    if not other.startswith("0") and not (place == 0 and msisdn.startswith("7")):
        assert is_same_line(other, msisdn) is (other == msisdn)


@given(digits=some.text("0123456789", max_size=20), msisdn=NUMBERS)
def test_what_is_one_line_is_found_by_its_tail(digits: str, msisdn: str) -> None:
    if len(digits) >= 7 and is_same_line(digits, msisdn):
        assert tail_of(msisdn) in tails_of(digits)
