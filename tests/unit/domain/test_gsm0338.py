from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esito.domain import gsm0338

GSM_TEXTS = st.text(st.sampled_from(sorted(gsm0338.ALPHABET)))

# Code and character, as 3GPP TS 23.038 prints them.
CODES = [
    (0x00, "@"), (0x01, "£"), (0x04, "è"), (0x05, "é"), (0x09, "Ç"), (0x0A, "\n"), (0x0D, "\r"), (0x10, "Δ"),
    (0x11, "_"), (0x1A, "Ξ"), (0x1C, "Æ"), (0x1F, "É"), (0x20, " "), (0x24, "¤"), (0x30, "0"), (0x40, "¡"),
    (0x41, "A"), (0x5A, "Z"), (0x5F, "§"), (0x60, "¿"), (0x61, "a"), (0x7A, "z"), (0x7D, "ñ"), (0x7F, "à"),
]  # fmt: skip

EXTENDED = [
    (0x0A, "\f"), (0x14, "^"), (0x28, "{"), (0x29, "}"), (0x2F, "\\"), (0x3C, "["), (0x3D, "~"), (0x3E, "]"),
    (0x40, "|"), (0x65, "€"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "char"), CODES)
def test_a_character_of_the_alphabet_is_one_septet(code: int, char: str) -> None:
    assert gsm0338.encode(char) == bytes([code])
    assert gsm0338.decode(bytes([code])) == char
    assert gsm0338.septets(char) == 1


@pytest.mark.parametrize(("code", "char"), EXTENDED)
def test_a_character_of_the_extension_table_is_an_escape_and_a_code(code: int, char: str) -> None:
    assert gsm0338.encode(char) == bytes([0x1B, code])
    assert gsm0338.decode(bytes([0x1B, code])) == char
    assert gsm0338.septets(char) == 2


def test_the_alphabet_has_127_characters_and_ten_more() -> None:
    assert len(gsm0338.ALPHABET) == 127 + 10


@given(GSM_TEXTS)
def test_what_is_encoded_is_decoded_again(text: str) -> None:
    assert gsm0338.fits(text)
    assert gsm0338.decode(gsm0338.encode(text)) == text
    assert gsm0338.septets(text) == len(gsm0338.encode(text))
    assert max(gsm0338.encode(text), default=0) < 0x80


@pytest.mark.parametrize("char", ["ç", "ê", "œ", "“", "…", "漢", "😀", "\x1b", "\x00", "\t", "\ud800"])
def test_a_character_outside_is_refused(char: str) -> None:
    assert not gsm0338.fits(f"a{char}b")
    with pytest.raises(UnicodeEncodeError):
        gsm0338.encode(f"a{char}b")
    with pytest.raises(UnicodeEncodeError):
        gsm0338.septets(char)


@given(st.text())
def test_a_text_fits_exactly_when_it_can_be_encoded(text: str) -> None:
    try:
        gsm0338.encode(text)
    except UnicodeEncodeError:
        assert not gsm0338.fits(text)
    else:
        assert gsm0338.fits(text)


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (b"", ""),
        (b"\x1b", " "),  # an escape before nothing
        (b"a\x1b\x1be", "a e"),  # an escape before an escape: the e is not a euro sign
        (b"\x1bA", "A"),  # a code the extension table lacks
        (b"\x1b\x05", "é"),
        (b"\x1b\x80", "\ufffd"),
        (b"a\xe9b", "a\ufffdb"),  # Latin-1 under data_coding 0
        (b"\x1b\x65\x65", "€e"),
        (b"\x1b\x0aa\x0a", "\fa\n"),
    ],
)
def test_what_no_text_encodes_to_is_decoded_all_the_same(octets: bytes, text: str) -> None:
    assert gsm0338.decode(octets) == text


@given(st.lists(st.integers(0, 255)))
def test_any_octets_have_a_text(codes: Sequence[int]) -> None:
    assert len(gsm0338.decode(bytes(codes))) <= len(codes)


def unpacked_by_the_book(octets: bytes, fill: int) -> bytes:
    """Return septets as 3GPP TS 23.038 draws them: the bits one after another, the lowest of each octet first."""
    bits = [octet >> place & 1 for octet in octets for place in range(8)][fill:]
    whole = [bits[place : place + 7] for place in range(0, len(bits) - 6, 7)]
    return bytes(sum(bit << place for place, bit in enumerate(septet)) for septet in whole)


@given(st.binary(max_size=40), st.integers(0, 6))
def test_septets_are_unpacked_as_the_book_draws_them(octets: bytes, fill: int) -> None:
    found, whole = gsm0338.unpack(octets, fill=fill), unpacked_by_the_book(octets, fill)
    assert found == whole or (found == whole[:-1] and whole.endswith(b"\r"))


@given(st.binary(max_size=40).map(lambda octets: bytes(octet & 0x7F for octet in octets)), st.integers(0, 6))
def test_septets_are_packed_as_the_book_draws_them(septets: bytes, fill: int) -> None:
    whole = unpacked_by_the_book(gsm0338.pack(septets, fill=fill), fill)
    assert whole[: len(septets)] == septets
    assert whole[len(septets) :] in {b"", b"\0", b"\r"}
