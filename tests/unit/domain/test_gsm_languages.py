"""The national language tables: what the standard says of all of them, and words of each language."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esito.domain import gsm0338
from esito.domain.gsm_languages import LOCKING_SHIFT, NO_CHARACTER, SINGLE_SHIFT, Language

SCRIPTS = {
    Language.BENGALI: "BENGALI",
    Language.GUJARATI: "GUJARATI",
    Language.HINDI: "DEVANAGARI",
    Language.KANNADA: "KANNADA",
    Language.MALAYALAM: "MALAYALAM",
    Language.ORIYA: "ORIYA",
    Language.PUNJABI: "GURMUKHI",
    Language.TAMIL: "TAMIL",
    Language.TELUGU: "TELUGU",
    Language.URDU: "ARABIC",
}
EVERYWHERE = "\n\r !0123456789:;?abcdefghijklmnopqrstuvwxyz,."
"""What every locking shift table has where the default alphabet has it."""


def test_every_language_has_its_tables() -> None:
    assert set(SINGLE_SHIFT) == set(Language)
    assert set(LOCKING_SHIFT) == set(Language) - {Language.DEFAULT, Language.SPANISH}


@pytest.mark.parametrize("language", LOCKING_SHIFT)
def test_a_locking_table_has_128_places_and_signs_where_all_have_them(language: int) -> None:
    table = LOCKING_SHIFT[language]
    assert len(table) == 128
    assert table[gsm0338.ESCAPE] == NO_CHARACTER
    assert [char for char in EVERYWHERE if table[gsm0338.encode(char)[0]] != char] == []
    assigned = [char for char in table if char != NO_CHARACTER]
    assert len(assigned) == len(set(assigned))


@pytest.mark.parametrize("language", SINGLE_SHIFT)
def test_a_single_shift_table_holds_the_usual_extension(language: int) -> None:
    assert SINGLE_SHIFT[Language.DEFAULT].items() <= SINGLE_SHIFT[language].items()
    assert gsm0338.ESCAPE not in SINGLE_SHIFT[language]
    assert all(0 <= code < 128 for code in SINGLE_SHIFT[language])


@pytest.mark.parametrize(("language", "script"), SCRIPTS.items())
def test_letters_are_of_the_language_and_in_its_order(language: Language, script: str) -> None:
    letters = [char for char in LOCKING_SHIFT[language] if ord(char) > 0x7F and char != NO_CHARACTER]
    own = [char for char in SINGLE_SHIFT[language].values() if ord(char) > 0x600 and char != "\u20ac"]
    assert letters
    assert own
    assert {unicodedata.name(char).split()[0] for char in letters} == {script}
    # The dandas of Devanagari end sentences in all of India; digits of Urdu are EXTENDED ARABIC-INDIC.
    assert {unicodedata.name(char).split()[0] for char in own} <= {script, "DEVANAGARI", "EXTENDED"}
    if language is not Language.URDU:
        assert letters == sorted(letters)


@pytest.mark.parametrize(
    ("octets", "locking", "single", "text"),
    [
        ("4070 74616c", 1, 0, "İptal"),
        ("1b49 70 74616c", 0, 1, "İptal"),
        ("1b49 70 74616c", 1, 1, "İptal"),
        ("0b 1b67 04 1b65", 1, 1, "Ğğ€€"),
        ("1b41 62 1b69", 0, 2, "Ábí"),
        ("7b 0f 6f 15", 3, 0, "ãáo∞"),
        ("1b7b 1b61 1b12", 0, 3, "ãÂΦ"),
        ("48 1b19 2c", 6, 6, "ऴ।,"),
        ("46 5a1e", 4, 0, "ল" + "\u09c8" + "ঝ"),
        ("1b53 1b54 1b4f 1b50", 13, 13, "STOP"),
        ("1b53 1b54 1b4f 1b50", 6, 6, "STOP"),
        ("53544f50", 0, 13, "STOP"),
    ],
)
def test_a_text_is_read_by_the_tables_it_names(octets: str, locking: int, single: int, text: str) -> None:
    assert gsm0338.decode(bytes.fromhex(octets), locking=locking, single=single) == text


def test_an_escape_before_what_the_single_table_lacks_shows_the_locking_table() -> None:
    assert gsm0338.decode(b"\x1b\x0b\x1b\x1b\x1b", locking=1, single=2) == "Ğ  "


@given(st.binary(max_size=40), st.integers(14, 255))
def test_a_language_without_tables_is_as_none(octets: bytes, unknown: int) -> None:
    assert gsm0338.decode(octets, locking=unknown, single=unknown) == gsm0338.decode(octets)


@given(st.binary(max_size=40), st.integers(0, 255), st.integers(0, 255))
def test_whatever_comes_under_any_table_has_a_text(octets: bytes, locking: int, single: int) -> None:
    assert len(gsm0338.decode(octets, locking=locking, single=single)) <= len(octets)
