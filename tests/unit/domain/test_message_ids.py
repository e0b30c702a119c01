import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from esito.domain.message_ids import MAX_LENGTH, Spelling, canonical, match_keys, spelling

NUMBERS = st.integers(0, 2**64 - 1)
IDS = st.one_of(
    st.text(st.sampled_from("0123456789abcdefABCDEF"), min_size=1, max_size=22),
    st.text(st.characters(max_codepoint=255), min_size=1, max_size=MAX_LENGTH),  # what latin-1 can bring
).filter(canonical)


@pytest.mark.parametrize(
    ("written", "match_key"),
    [
        ("1001", "1001"), ("0000001001", "1001"), ("0A1F", "a1f"), ("a1f", "a1f"), ("0", "0"), ("000", "0"), ("", ""),
        ("0x1F", "1f"), ("MSG-0042", "msg-0042"), ("550E8400-e29b", "550e8400-e29b"),
    ],
)  # fmt: skip
def test_spellings_of_one_id_have_one_match_key(written: str, match_key: str) -> None:
    assert canonical(written) == match_key


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("", []),
        ("1001", ["1001", "3e9", "4097"]),
        ("0003E9", ["3e9", "1001"]),
        ("0", ["0"]),
        ("7", ["7"]),
        ("f", ["f", "15"]),
        ("msg-42", ["msg-42"]),
        ("12345678901234567890", ["12345678901234567890", "ab54a98ceb1f0ad2", "-6101065172474983726"]),
        ("812FC7470000001B", ["812fc7470000001b", "9308878062554710043", "-9137866011154841573"]),
        ("-559038737", ["-559038737", "deadbeef", "3735928559", "ffffffffdeadbeef", "18446744073150512879"]),
        ("3735928559", ["3735928559", "deadbeef", "-559038737", "237121996121"]),
        ("DEADBEEF", ["deadbeef", "3735928559", "-559038737"]),
        ("-9223372036854775809", ["-9223372036854775809"]),
        ("0x3E9", ["3e9", "1001"]),
    ],
)
def test_a_receipt_looks_under_its_own_key_first_and_then_under_those_of_the_other_base(
    written: str, found: list[str]
) -> None:
    assert match_keys(written) == found


@pytest.mark.parametrize("written", ["1" * 21, "a" * 17, "9" * 21])
def test_what_is_no_number_of_64_bits_is_not_converted(written: str) -> None:
    assert match_keys(written) == [written]


@pytest.mark.parametrize(
    ("response", "receipt", "agreement"),
    [
        ("1001", "1001", Spelling.SAME),
        ("0a1f", "0A1F", Spelling.CASE),
        ("1001", "0000001001", Spelling.PADDED),
        ("0000A1F", "a1f", Spelling.PADDED),
        ("3e9", "1001", Spelling.HEX_TO_DEC),
        ("000003E9", "0000001001", Spelling.HEX_TO_DEC),
        ("1001", "3E9", Spelling.DEC_TO_HEX),
        ("0x3E9", "1001", Spelling.HEX_TO_DEC),
        ("1001", "0x3e9", Spelling.DEC_TO_HEX),
        ("0x3E9", "3e9", Spelling.PADDED),
        ("  1001  ", "1001", Spelling.PADDED),
        ("1001", " 1001\0", Spelling.PADDED),
        ("3735928559", "-559038737", Spelling.PADDED),
        ("-559038737", "3735928559", Spelling.PADDED),
        ("deadbeef", "-559038737", Spelling.HEX_TO_DEC),
        ("-559038737", "DEADBEEF", Spelling.DEC_TO_HEX),
        ("ffffffffdeadbeef", "-559038737", Spelling.HEX_TO_DEC),
        ("x" * 80, "x" * 64, Spelling.PADDED),
        ("x" * 64, "x" * 80, Spelling.PADDED),
        ("x" * 63, "x" * 64, None),
        ("0000001001", "000003e9", Spelling.DEC_TO_HEX),
        ("1001", "1002", None),
        ("1001", "", None),
        ("", "0", None),
        ("MSG-7", "7", None),
    ],
)
def test_a_spelling_says_how_far_two_ids_agree(response: str, receipt: str, agreement: Spelling | None) -> None:
    assert spelling(response, receipt) is agreement


def test_only_another_base_is_a_conversion() -> None:
    assert [one.name for one in Spelling if one.converted] == ["HEX_TO_DEC", "DEC_TO_HEX"]


def test_ids_that_could_be_read_in_both_bases_agree_as_they_stand() -> None:
    assert spelling("10", "10") is Spelling.SAME
    assert spelling("16", "10") is Spelling.DEC_TO_HEX
    assert spelling("10", "16") is Spelling.HEX_TO_DEC


@given(NUMBERS, st.integers(0, 25), st.sampled_from("dxX"), st.integers(0, 25), st.sampled_from("dxX"))
def test_a_number_is_found_however_response_and_receipt_write_it(
    number: int, zeros: int, base: str, other_zeros: int, other_base: str
) -> None:
    response = "0" * zeros + format(number, base)
    receipt = "0" * other_zeros + format(number, other_base)
    assert canonical(response) in match_keys(receipt)
    agreement = spelling(response, receipt)
    assert agreement is not None
    if base.lower() == other_base.lower():
        assert not agreement.converted


@given(IDS, IDS)
def test_two_ids_agree_exactly_when_one_is_a_match_key_of_the_other(response: str, receipt: str) -> None:
    assert (spelling(response, receipt) is not None) is (canonical(response) in match_keys(receipt))


@given(IDS)
@example("0 0")
@example("0 0x5")
@example("7" * 63 + " 8")
def test_a_canonical_id_is_its_own_canonical_form_and_agrees_with_what_was_written(written: str) -> None:
    match_key = canonical(written)
    assert canonical(match_key) == match_key
    assert match_keys(written)[0] == match_key
    assert spelling(written, written) is Spelling.SAME
    agreement = spelling(written, match_key)
    assert agreement is not None
    assert not agreement.converted


@given(IDS, IDS)
def test_agreement_does_not_depend_on_who_wrote_first(one: str, other: str) -> None:
    there, back = spelling(one, other), spelling(other, one)
    assert (there is None) is (back is None)
    if there is not None and back is not None:
        assert there.converted is back.converted
