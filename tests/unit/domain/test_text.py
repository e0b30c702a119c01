import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esito.domain import gsm0338
from esito.domain.text import (
    GSM,
    LONGEST,
    MOST_MARKS,
    UCS2,
    count_segments,
    has_too_many_marks,
    is_overlong,
    prepare,
    split,
    udh,
)

# Long enough to be cut, and full of what must not be cut through.
LONG_TEXTS = st.builds(
    lambda pieces, times: "".join(pieces) * times,
    st.lists(st.one_of(st.sampled_from(["€", "\f", "é", "😀", ":br:", "𝄞", "a", "[", "œ"]), st.text())),
    st.integers(1, 60),
)

# Contract 2.5, letter by letter.
REPLACED = [
    ("ÿ", "y"), ("ûü", "uu"), ("ïî", "ii"), ("ôöó", "ooo"), ("ëê", "ee"), ("µ", "u"), ("äáâã", "aaaa"),
    ("ÄÀÁÂÃ", "AAAAA"), ("ÈÊË", "EEE"), ("Î", "I"), ("ÜÙÚÛ", "UUUU"), ("Ý", "Y"), ("ÖÔ", "OO"), ("ñ", "n"), ("Ñ", "N"),
    ("œ", "oe"), ("ą", "à"), ("ç", "Ç"), ("[{", "(("), ("]}", "))"), ("’‘“`", "''''"), ("«»", '""'), ("°", "."),
    ("a^~|\\¨§b", "ab"),
]  # fmt: skip


def octets_of(text: str, *, unicode: bool = False) -> list[int]:
    return [len(segment.octets) for segment in split(prepare(text, unicode=unicode))]


@pytest.mark.parametrize(("given", "shown"), REPLACED)
def test_characters_are_replaced_as_the_contract_lists_them(given: str, shown: str) -> None:
    assert prepare(given, unicode=False).text == shown


@pytest.mark.parametrize(("given", "_shown"), REPLACED)
def test_nothing_is_replaced_in_unicode(given: str, _shown: str) -> None:
    assert prepare(given, unicode=True).text == given


@pytest.mark.parametrize(("given", "shown"), [pair for pair in REPLACED if "¨" not in pair[0]])
def test_decomposed_accents_are_treated_like_composed_ones(given: str, shown: str) -> None:
    assert prepare(unicodedata.normalize("NFD", given), unicode=False).text == shown


@pytest.mark.parametrize("text", ["àéèùìòÉÇ", "ØøÅåÆæß", "@£$¥¤¡¿", "ΔΦΓΛΩΠΨΣΘΞ", "€", "a\nb\r\nc", '"%&/()=?'])
def test_what_the_alphabet_has_and_the_list_lacks_stays(text: str) -> None:
    assert prepare(text, unicode=False).text == text


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("Ïć", "Ic"),
        ("wait…", "wait..."),
        ("1\u00a0000\u202f€", "1 000 €"),
        ("a – b — c", "a - b - c"),
        ("”„", "''"),
        ("Œuvre", "OEuvre"),
        ("№ ½", "No 1/2"),
        ("ＡＢ［", "AB("),
        ("a\tb", "a b"),
        ("漢😀", "??"),
        ("👍🏽\u200d\ufe0f", "??"),
        ("a\x1be\x00", "a?e?"),
        ("\ud83d", "?"),
    ],
)
def test_what_is_left_outside_the_alphabet_becomes_the_nearest_or_a_question_mark(given: str, shown: str) -> None:
    assert prepare(given, unicode=False).text == shown


@given(st.text())
def test_any_text_can_be_prepared_and_sent_in_gsm(text: str) -> None:
    assert gsm0338.fits(prepare(text, unicode=False).text)


@given(st.text())
def test_preparing_twice_changes_nothing_more(text: str) -> None:
    once = prepare(text, unicode=False)
    # A shorthand may appear only now: ":b" + a character that vanishes + "r:".
    if ":br:" not in once.text and ":euro:" not in once.text:
        assert prepare(once.text, unicode=False) == once


def test_half_a_surrogate_pair_does_not_stop_a_text() -> None:
    assert prepare("a\ud83db", unicode=True).text == "a?b"


@pytest.mark.parametrize("unicode", [False, True])
def test_a_line_break_counts_two(unicode: bool) -> None:
    prepared = prepare("a:br:b", unicode=unicode)
    assert prepared.text == "a\r\nb"
    assert prepared.units == 4


def test_the_euro_sign_counts_two_septets_and_one_unit_of_unicode() -> None:
    assert prepare("12:euro:", unicode=False).text == "12€"
    assert prepare("12:euro:", unicode=False).units == 4
    assert prepare("12:euro:", unicode=True).units == 3


def test_units_are_counted_after_replacement() -> None:
    assert prepare("[^]", unicode=False).units == 2
    assert prepare("œ", unicode=False).units == 2
    assert prepare("😀", unicode=True).units == 2


@pytest.mark.parametrize(
    ("text", "unicode", "segments"),
    [
        ("", False, 1),
        ("a" * 160, False, 1),
        ("a" * 161, False, 2),
        ("a" * 306, False, 2),
        ("a" * 307, False, 3),
        ("a" * 1530, False, 10),
        ("a" * 1531, False, 11),
        ("€" * 80, False, 1),
        ("€" * 81, False, 2),
        ("€" * 152, False, 2),
        ("€" * 153, False, 3),  # 306 septets, but no pair is cut: 76 to a segment
        ("", True, 1),
        ("a" * 70, True, 1),
        ("a" * 71, True, 2),
        ("a" * 134, True, 2),
        ("a" * 135, True, 3),
        ("😀" * 35, True, 1),
        ("😀" * 36, True, 2),
        ("😀" * 66, True, 2),
        ("😀" * 67, True, 3),  # 134 units, but 33 pairs to a segment
    ],
)
def test_segments_are_counted_at_their_limits(text: str, unicode: bool, segments: int) -> None:
    prepared = prepare(text, unicode=unicode)
    assert count_segments(prepared) == segments
    assert len(split(prepared)) == segments


def test_an_escape_goes_to_the_next_segment_with_its_code() -> None:
    assert octets_of("a" * 152 + "€" + "a" * 20) == [152, 22]
    assert octets_of("a" * 151 + "€" + "a" * 20) == [153, 20]


def test_a_surrogate_pair_goes_to_the_next_segment_whole() -> None:
    assert octets_of("a" * 66 + "😀" + "a" * 20, unicode=True) == [132, 44]
    assert octets_of("a" * 65 + "😀" + "a" * 20, unicode=True) == [134, 40]


def test_unicode_is_used_when_asked_for_even_if_gsm_would_do() -> None:
    assert split(prepare("ciao", unicode=True)) == (("ciao".encode("utf-16-be"), UCS2),)
    assert split(prepare("ciao", unicode=False)) == ((b"ciao", GSM),)


@given(LONG_TEXTS)
def test_segments_of_gsm_are_whole_and_join_to_the_text(text: str) -> None:
    prepared = prepare(text, unicode=False)
    segments = split(prepared)
    assert "".join(gsm0338.decode(segment.octets) for segment in segments) == prepared.text
    assert {segment.data_coding for segment in segments} == {GSM}
    assert all(not segment.octets.endswith(b"\x1b") for segment in segments)
    assert all(len(segment.octets) <= (160 if len(segments) == 1 else 153) for segment in segments)
    assert count_segments(prepared) == len(segments)


@given(LONG_TEXTS)
def test_segments_of_unicode_are_whole_and_join_to_the_text(text: str) -> None:
    prepared = prepare(text, unicode=True)
    segments = split(prepared)
    # A cut pair would not decode: utf-16 is strict about halves.
    assert "".join(segment.octets.decode("utf-16-be") for segment in segments) == prepared.text
    assert {segment.data_coding for segment in segments} == {UCS2}
    assert all(len(segment.octets) <= (140 if len(segments) == 1 else 134) for segment in segments)
    assert count_segments(prepared) == len(segments)
    assert prepared.units == sum(len(segment.octets) for segment in segments) // 2


def test_the_header_numbers_a_segment() -> None:
    assert udh(0x1AB, 3, 2) == bytes([5, 0, 3, 0xAB, 3, 2])


def test_a_full_segment_and_its_header_fill_140_octets() -> None:
    septets, units = octets_of("a" * 400)[0], octets_of("a" * 400, unicode=True)[0]
    assert 7 * 8 - len(udh(1, 3, 1)) * 8 < 8 * 2  # the header and its fill bits: seven septets
    assert septets + 7 == 160
    assert units + len(udh(1, 3, 1)) == 140


@pytest.mark.parametrize("unicode", [False, True])
@given(text=st.text(), marks=st.integers(0, 40), mark=st.sampled_from("\u0301\u0316\u05b0\u0e34\u3099"))
def test_no_text_has_more_than_eight_marks_on_a_letter(text: str, marks: int, mark: str, *, unicode: bool) -> None:
    written = f"{text}e{mark * marks}"
    assert has_too_many_marks(f"e{mark * marks}") is (marks > MOST_MARKS)
    if marks > MOST_MARKS:
        assert prepare(written, unicode=unicode) == prepare(f"{text}e{mark * MOST_MARKS}", unicode=unicode)


def test_a_text_is_overlong_by_what_is_written_though_nobody_sees_it() -> None:
    assert not is_overlong("e\u0301\u0323" * 1530)
    assert not is_overlong(":euro:" * 670)
    assert is_overlong("\u200b" * (LONGEST + 1))
