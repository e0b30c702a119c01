"""What subscribers wrote, in every alphabet, and which part of a long text it is."""

import codecs

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esito.domain import gsm0338
from esito.domain.coding import LONG_HEADER, SHORT_HEADER, Alphabet, Codings, write
from esito.domain.reply import Concatenated, whole_text
from esito.domain.text import count_segments, prepare, split, udh
from esito.lifecycle.receive import stop_words
from esito.smpp.incoming import IncomingSettings
from esito.smpp.pdu import DataSm, DeliverSm, EsmClass, Tag
from esito.smpp.reply_text import decode_text, read_reply

HEADER_OF = {0: b"", SHORT_HEADER: b"\5" + bytes(5), LONG_HEADER: b"\6" + bytes(6)}
HEADERS = st.sampled_from([SHORT_HEADER, LONG_HEADER])
LOVE = "❤️🧡"


def sar(reference: int, total: int, part: int) -> dict[int, bytes]:
    return {
        Tag.SAR_MSG_REF_NUM: reference.to_bytes(2, "big"),
        Tag.SAR_TOTAL_SEGMENTS: bytes([total]),
        Tag.SAR_SEGMENT_SEQNUM: bytes([part]),
    }


def with_header(header: bytes, text: bytes = b"ciao", *, data_coding: int = 0) -> DeliverSm:
    octets = bytes([len(header)]) + header + text
    return DeliverSm(esm_class=EsmClass.UDHI, data_coding=data_coding, short_message=octets)


@pytest.mark.parametrize(
    ("data_coding", "octets", "text"),
    [
        (0, b"STOP", "STOP"),
        (0, b"\x00\x04 \x1b\x65 caf\x05", "@è € café"),
        (0, b"arr\xeat", "arrêt"),
        (0, "désolé".encode(), "désolé"),
        (1, b"STOP @", "STOP @"),
        (3, b"arr\xeat", "arrêt"),
        (8, "Arrêt ❤".encode("utf-16-be"), "Arrêt ❤"),
        (8, "oui".encode("utf-16-be") + b"\0", "oui"),
        (6, "стоп".encode("iso8859-5"), "стоп"),
        (7, "די".encode("iso8859-8"), "די"),
        (5, "停止".encode("shift_jis"), "停止"),
        (0x18, "oui".encode("utf-16-be"), "oui"),
        (0x10, b"oui", "oui"),
        (0xF0, b"oui", "oui"),
        (0xF5, b"\xe9", "é"),
        (0xE0, "oui".encode("utf-16-be"), "oui"),
        (0xC8, b"oui", "oui"),
        (2, b"\x01\xff", "\x01ÿ"),
        (99, b"oui", "oui"),
        (3, b"oui\0", "oui"),
        (0, b"", ""),
    ],
)
def test_a_text_is_read_in_its_alphabet(data_coding: int, octets: bytes, text: str) -> None:
    assert decode_text(octets, data_coding) == text


@pytest.mark.parametrize(
    ("codings", "data_coding", "octets", "text"),
    [
        (Codings(Alphabet.GSM_PACKED), 0, bytes.fromhex("e8329bfd06"), "hello"),
        (Codings(Alphabet.GSM_PACKED), 0, gsm0338.pack(gsm0338.encode("où @ €")), "où @ €"),
        (Codings(Alphabet.GSM_PACKED, gsm=0xF0), 0xF0, bytes.fromhex("e8329bfd06"), "hello"),
        (Codings(Alphabet.GSM_PACKED), 8, "oui".encode("utf-16-be"), "oui"),
        (Codings(Alphabet.LATIN1), 0, b"o\xf9 @", "où @"),
        (Codings(Alphabet.LATIN1), 0, b"oui\0", "oui"),
        (Codings(Alphabet.LATIN1, gsm=1), 1, b"\0", "@"),
        (Codings(Alphabet.ASCII), 0, b"oui @_$", "oui @_$"),
        (Codings(Alphabet.ASCII), 0, b"o\xf9", "où"),
        (Codings(Alphabet.ASCII), 0, "où".encode(), "où"),
        (Codings(latin1=5), 5, b"o\xf9", "où"),
        (Codings(ucs2=25), 25, "oui".encode("utf-16-be"), "oui"),
    ],
)
def test_an_operator_may_mean_another_alphabet(codings: Codings, data_coding: int, octets: bytes, text: str) -> None:
    assert decode_text(octets, data_coding, codings) == text


@given(st.text(st.sampled_from(sorted(gsm0338.ALPHABET - {"\r"})), min_size=1, max_size=500), HEADERS)
def test_a_long_packed_text_is_read_as_it_was_written(text: str, header: int) -> None:
    prepared = prepare(text, unicode=False)
    codings = Codings(Alphabet.GSM_PACKED)
    written = write(text, unicode=False, segments=count_segments(prepared), codings=codings, header=header)
    pieces = [
        read_reply(
            DeliverSm(
                esm_class=EsmClass.UDHI if written.header else 0,
                short_message=HEADER_OF[written.header] + piece,
            ),
            link="alpha",
            at=1,
            settings=IncomingSettings(codings=codings),
        ).text
        for piece in written.pieces
    ]
    assert "".join(pieces) == prepared.text


@given(st.binary(max_size=200), st.integers(0, 255), st.sampled_from(Alphabet).map(Codings), st.integers(0, 6))
def test_whatever_comes_in_any_alphabet_has_a_text(
    octets: bytes, data_coding: int, codings: Codings, fill: int
) -> None:
    assert isinstance(decode_text(octets, data_coding, codings, fill=fill), str)


@given(st.binary(max_size=200), st.integers(0, 255), st.integers(0, 255), st.booleans())
def test_whatever_comes_has_a_text_and_can_be_kept(
    octets: bytes, data_coding: int, esm_class: int, payload: bool
) -> None:
    pdu = (
        DataSm(esm_class=esm_class, data_coding=data_coding, tlvs={Tag.MESSAGE_PAYLOAD: octets})
        if payload
        else DeliverSm(esm_class=esm_class, data_coding=data_coding, short_message=octets)
    )
    read = read_reply(pdu, link="alpha", at=1)
    assert whole_text([read.text]).encode().decode() == whole_text([read.text])
    assert read.concatenated is None or 1 <= read.concatenated.part <= read.concatenated.total


def test_a_text_in_message_payload_counts_as_one_in_short_message() -> None:
    pdu = DataSm(source_addr="33611111111", destination_addr="36111", tlvs={Tag.MESSAGE_PAYLOAD: b"oui"}, frame=b"raw")
    read = read_reply(pdu, link="alpha", at=7)
    assert (read.text, read.source, read.destination, read.received_at, read.raw, read.link) == (
        "oui", "33611111111", "36111", 7, b"raw", "alpha",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("pdu", "expected"),
    [
        (with_header(bytes([0, 3, 9, 3, 2])), Concatenated(9, 3, 2)),
        (with_header(bytes([8, 4, 1, 2, 3, 1])), Concatenated(0x10102, 3, 1)),
        (with_header(bytes([5, 4, 0, 0, 0, 0, 0, 3, 9, 2, 2])), Concatenated(9, 2, 2)),  # after port numbers
        (DeliverSm(short_message=b"ciao", tlvs=sar(300, 2, 1)), Concatenated(0x2012C, 2, 1)),
    ],
)
def test_a_part_is_told_by_header_or_parameters(pdu: DeliverSm, expected: Concatenated) -> None:
    read = read_reply(pdu, link="alpha", at=1)
    assert (read.concatenated, read.text) == (expected, "ciao")


@pytest.mark.parametrize(
    "pdu",
    [
        with_header(bytes([0, 3, 9, 1, 1])),  # one of one
        with_header(bytes([0, 3, 9, 2, 3])),  # three of two
        with_header(bytes([0, 3, 9, 2, 0])),
        with_header(bytes([0, 200, 9])),  # longer than the header
        with_header(bytes([0])),
        with_header(b""),
        DeliverSm(short_message=b"ciao", tlvs=sar(1, 0, 0)),
        DeliverSm(short_message=b"ciao", tlvs={Tag.SAR_MSG_REF_NUM: b"\0\1"}),
        DeliverSm(short_message=b"ciao", tlvs=sar(1, 2, 1) | {Tag.SAR_SEGMENT_SEQNUM: b"\0\1"}),
    ],
)
def test_what_can_be_no_part_is_a_whole_text(pdu: DeliverSm) -> None:
    read = read_reply(pdu, link="alpha", at=1)
    assert (read.concatenated, read.text) == (None, "ciao")


def test_a_header_that_is_announced_and_missing_leaves_the_text_alone() -> None:
    read = read_reply(DeliverSm(esm_class=EsmClass.UDHI, short_message=b"oui"), link="alpha", at=1)
    assert (read.concatenated, read.text) == (None, "oui")


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=400), st.booleans())
def test_the_parts_of_any_text_make_that_text(text: str, unicode: bool) -> None:
    prepared = prepare(text, unicode=unicode)
    segments = split(prepared)
    pieces = [
        read_reply(
            DeliverSm(
                esm_class=EsmClass.UDHI if len(segments) > 1 else 0,
                data_coding=segment.data_coding,
                short_message=(udh(7, len(segments), part) if len(segments) > 1 else b"") + segment.octets,
            ),
            link="alpha",
            at=1,
        ).text
        for part, segment in enumerate(segments, 1)
    ]
    if "\0" not in prepared.text:  # at the end of a piece they are filling, and no subscriber's
        assert whole_text(pieces) == prepared.text


def test_a_pair_that_is_cut_between_parts_is_joined_again() -> None:
    octets = LOVE.encode("utf-16-be")
    pieces = [decode_text(octets[:6], 8), decode_text(octets[6:], 8)]
    assert whole_text(pieces) == LOVE
    assert whole_text(pieces[:1]) == "❤️\ufffd"


@pytest.mark.parametrize("data_coding", [0, 1, 3, 4, 0xF0, 0xF4])
def test_ucs2_is_known_by_its_zero_octets(data_coding: int) -> None:
    assert decode_text("STOP".encode("utf-16-be"), data_coding) == "STOP"
    assert decode_text("Caff\u00e8".encode("utf-16-be"), data_coding) == "Caff\u00e8"


def test_ascii_of_an_odd_length_is_no_ucs2() -> None:
    assert decode_text(b"Stop.", 8) == "Stop."
    assert decode_text("\u5354\u4f50".encode("utf-16-be"), 8) == "\u5354\u4f50"


@pytest.mark.parametrize("text", ["@", "@a", "a@b@", "@@", "@@@@", "@a@"])
def test_a_text_with_at_signs_stays_what_it_is(text: str) -> None:
    assert decode_text(gsm0338.encode(text), 0) == text


TURKISH_LOCKING, TURKISH_SINGLE = bytes([0x25, 1, 1]), bytes([0x24, 1, 1])


@pytest.mark.parametrize(
    ("header", "octets", "text", "concatenated"),
    [
        (TURKISH_LOCKING, b"\x40ptal", "İptal", None),
        (TURKISH_SINGLE, b"\x1b\x49ptal", "İptal", None),
        (TURKISH_LOCKING + TURKISH_SINGLE, b"\x40ptal \x1b\x73", "İptal ş", None),
        (bytes([0, 3, 9, 2, 1]) + TURKISH_LOCKING, b"\x40ptal", "İptal", Concatenated(9, 2, 1)),
        (TURKISH_SINGLE + bytes([8, 4, 0, 9, 2, 2]), b"\x1b\x49ptal", "İptal", Concatenated(0x10009, 2, 2)),
        (bytes([0x25, 1, 2, 0x25, 1, 1]), b"\x40ptal", "İptal", None),  # the last counts
        (bytes([0x25, 1, 200]), b"\x40ptal", "¡ptal", None),  # no such language
        (bytes([0x25, 0]), b"\x40ptal", "¡ptal", None),
        (bytes([0x25, 2, 1, 1]), b"\x40ptal", "¡ptal", None),
        (b"", b"\x40ptal", "¡ptal", None),
    ],
)
def test_a_header_names_the_language_of_a_text(
    header: bytes, octets: bytes, text: str, concatenated: Concatenated | None
) -> None:
    read = read_reply(with_header(header, octets), link="alpha", at=1)
    assert (read.text, read.concatenated) == (text, concatenated)


@pytest.mark.parametrize("data_coding", [0, 0xF1])
def test_packed_septets_have_their_language_too(data_coding: int) -> None:
    codings = Codings(Alphabet.GSM_PACKED, gsm=data_coding)
    packed = gsm0338.pack(b"\x40ptal", fill=gsm0338.fill_bits(4))
    pdu = with_header(TURKISH_LOCKING, packed, data_coding=data_coding)
    read = read_reply(pdu, link="alpha", at=1, settings=IncomingSettings(codings=codings))
    assert read.text == "İptal"


def test_a_language_changes_no_other_alphabet() -> None:
    pdu = with_header(TURKISH_LOCKING, "¡ya".encode("utf-16-be"), data_coding=8)
    assert read_reply(pdu, link="alpha", at=1).text == "¡ya"


def test_a_stop_in_a_national_alphabet_stops() -> None:
    for header, octets in ((TURKISH_LOCKING, b"\x40ptal"), (bytes([0x24, 1, 6]), b"\x1bS\x1bT\x1bO\x1bP")):
        assert stop_words().stops(read_reply(with_header(header, octets), link="alpha", at=1).text)


@pytest.mark.parametrize(
    ("country", "ton", "address", "read"),
    [
        ("", 1, "33612345678", "33612345678"),
        ("", 1, "+33612345678", "33612345678"),
        ("", 0, "0612345678", "33612345678"),
        ("", 2, "612345678", "33612345678"),
        ("", 2, "0690123456", "590690123456"),
        ("", 1, "33690123456", "590690123456"),
        ("", 1, "5215512345678", "525512345678"),
        ("", 2, "33612345678", "33612345678"),  # says national, and is not
        ("", 1, "298211234", "298211234"),  # nine digits, and an operator's
        ("", 1, "0044 7700 900123", "447700900123"),
        ("BE", 2, "470123456", "32470123456"),
        ("BE", 0, "0470123456", "32470123456"),
        ("BE", 1, "33612345678", "33612345678"),
        ("BE", 0, "0612345678", "0612345678;phone-context=+32"),  # nobody's in Belgium, and nobody's in France
        ("IT", 2, "3331234567", "393331234567"),
        ("IT", 0, "0612345678", "390612345678"),
        ("ES", 0, "612345678", "34612345678"),
        ("GB", 2, "07700900123", "447700900123"),
        ("RE", 2, "0611111111", "33611111111"),  # of the mainland, dialled as at home
        ("RE", 0, "0690123456", "590690123456"),
        ("RE", 0, "0692123456", "262692123456"),
        ("", 0, "0033611111111", "33611111111"),
        ("", 0, "36111", "36111"),
        ("FR", 2, "36111", "36111"),
        ("FR", 5, "0612345678", "0612345678"),  # a name
        ("FR", 5, "Orange", "Orange"),
        ("FR", 0, "", ""),
    ],
)
def test_the_numbers_of_a_reply_are_read_as_its_operator_writes_them(
    country: str, ton: int, address: str, read: str
) -> None:
    pdu = DeliverSm(source_addr=address, source_addr_ton=ton, destination_addr=address, dest_addr_ton=ton)
    reply = read_reply(pdu, link="alpha", at=1, settings=IncomingSettings(country=country))
    assert (reply.source, reply.destination) == (read, read)


@pytest.mark.parametrize("data_coding", [0, 1, 3, 8])
@pytest.mark.parametrize(
    "octets", [codecs.BOM_UTF16_LE + "STOP".encode("utf-16-le"), codecs.BOM_UTF16_BE + "STOP".encode("utf-16-be")]
)
def test_a_byte_order_mark_proves_the_coding(data_coding: int, octets: bytes) -> None:
    assert decode_text(octets, data_coding) == "STOP"


def test_octets_of_zero_at_the_end_are_no_text() -> None:
    assert decode_text("STOP\0".encode("utf-16-be"), 0) == "STOP"
