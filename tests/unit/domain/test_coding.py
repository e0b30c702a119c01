"""How a text is written for one operator."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esito.domain import gsm0338
from esito.domain.coding import LONG_HEADER, SHORT_HEADER, Alphabet, Codings, whole, write
from esito.domain.text import count_segments, prepare

CHARACTERS = st.text(st.sampled_from([*sorted(gsm0338.ALPHABET - {"\r"}), "€", "x", "è"]), max_size=700)
CODINGS = st.builds(Codings, st.sampled_from(Alphabet), st.sampled_from([0, 0xF0]), st.just(3), st.just(8))
HEADERS = st.sampled_from([SHORT_HEADER, LONG_HEADER])


def read(octets: bytes, data_coding: int, codings: Codings, header: int) -> str:
    """Read a piece as the operator would."""
    if data_coding == codings.ucs2:
        return octets.decode("utf-16-be")
    if data_coding == codings.latin1:
        return octets.decode("latin-1")
    if data_coding == 0 and codings.alphabet in {Alphabet.LATIN1, Alphabet.ASCII}:
        return octets.decode({Alphabet.LATIN1: "latin-1", Alphabet.ASCII: "ascii"}[codings.alphabet])
    if codings.alphabet is Alphabet.GSM_PACKED:
        octets = gsm0338.unpack(octets, fill=gsm0338.fill_bits(header))
    return gsm0338.decode(octets)


@given(CHARACTERS, st.booleans(), CODINGS, HEADERS)
def test_a_text_is_written_in_as_many_segments_as_were_counted(
    text: str, unicode: bool, codings: Codings, header: int
) -> None:
    prepared = prepare(text, unicode=unicode)
    segments = count_segments(prepared)
    written = write(text, unicode=unicode, segments=segments, codings=codings, header=header)
    assert len(written.pieces) == segments
    assert written.header in ({SHORT_HEADER, header} if segments > 1 else {0})
    said = "".join(read(piece, written.data_coding, codings, written.header) for piece in written.pieces)
    if written.data_coding == 0 and codings.alphabet in {Alphabet.LATIN1, Alphabet.ASCII}:
        assert len(said) == len(prepared.text)
        assert all(one in {char, "?"} or not char.isascii() for one, char in zip(said, prepared.text, strict=True))
    else:
        assert said == prepared.text


@given(CHARACTERS, st.booleans(), CODINGS, HEADERS)
def test_every_segment_fits_a_short_message(text: str, unicode: bool, codings: Codings, header: int) -> None:
    segments = count_segments(prepare(text, unicode=unicode))
    written = write(text, unicode=unicode, segments=segments, codings=codings, header=header)
    in_octets = written.data_coding in {codings.ucs2, codings.latin1} or codings.alphabet is Alphabet.GSM_PACKED
    longest = 140 - written.header if in_octets else (140 - written.header) * 8 // 7
    assert max(map(len, written.pieces)) <= longest


@given(CHARACTERS, st.booleans(), CODINGS)
def test_a_whole_text_is_not_cut(text: str, unicode: bool, codings: Codings) -> None:
    octets, data_coding = whole(text, unicode=unicode, codings=codings)
    assert read(octets, data_coding, codings, 0) == prepare(text, unicode=unicode).text


@pytest.mark.parametrize("length", [1, 2, 7, 8, 9, 15, 16, 152, 153, 160])
@pytest.mark.parametrize("fill", [0, 1, 2, 6])
def test_packed_septets_are_read_again(length: int, fill: int) -> None:
    septets = bytes(number * 37 % 128 for number in range(length))
    packed = gsm0338.pack(septets, fill=fill)
    assert len(packed) == -(-(7 * length + fill) // 8)
    assert gsm0338.unpack(packed, fill=fill) == septets


def test_packed_septets_are_those_of_the_specification() -> None:
    assert gsm0338.pack(b"hello") == bytes.fromhex("e8329bfd06")
    # Seven bits left over would read as `@`: a carriage return fills them (3GPP TS 23.038, 6.1.2.3.1).
    assert gsm0338.pack(b"1234567") == bytes.fromhex("31d98c56b3dd1a")
    assert gsm0338.unpack(bytes.fromhex("31d98c56b3dd1a")) == b"1234567"


@given(st.binary(max_size=300), st.integers(0, 6))
def test_whatever_is_unpacked_is_septets(octets: bytes, fill: int) -> None:
    assert all(septet < 0x80 for septet in gsm0338.unpack(octets, fill=fill))
