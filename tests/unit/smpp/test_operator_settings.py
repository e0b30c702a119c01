"""Each setting of a link, from the file to the octets that the SMSC receives."""

import struct
from dataclasses import replace
from pathlib import Path

import pytest

from esito.domain import gsm0338
from esito.smpp import pdu as p
from esito.smpp.outgoing import reference_of
from tests.kit.links import in_a_loop
from tests.kit.operators import configured, received, submission
from tests.kit.peer import peer

LONG = "x" * 400
"""Three segments, however they are tied together."""


async def one(folder: Path, lines: str, text: str = "ciao", *, sender: str = "ESITO", unicode: bool = False) -> bytes:
    """Return the octets of the submit_sm of a short message, without the header of the PDU."""
    async with peer() as smsc:
        sent = submission(text, sender=sender, unicode=unicode)
        (pdu,) = await received(smsc, configured(folder, lines, port=smsc.port), sent)
    return pdu.frame[16:]


def body(
    *,
    service_type: bytes = b"",
    source: bytes = b"\x05\x00ESITO",
    destination: bytes = b"\x01\x01",
    esm_class: int = 0,
    protocol_id: int = 0,
    priority_flag: int = 0,
    validity: bytes = b"000002000000000R",
    registered_delivery: int = 1,
    data_coding: int = 0,
    text: bytes = b"ciao",
    tlvs: bytes = b"",
) -> bytes:
    """Return the octets of a submit_sm (SMPP 3.4, 4.4.1), written here a second time, by hand."""
    return (
        service_type + b"\0" + source + b"\0" + destination + b"33612345678\0"
        + bytes([esm_class, protocol_id, priority_flag]) + b"\0" + validity + b"\0"
        + bytes([registered_delivery, 0, data_coding, 0, len(text)]) + text + tlvs
    )  # fmt: skip


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("", body()),
        ("service_type = 'CMT'", body(service_type=b"CMT")),
        ("protocol_id = 64", body(protocol_id=64)),
        ("priority_flag = 3", body(priority_flag=3)),
        ("registered_delivery = 17", body(registered_delivery=17)),
        ("registered_delivery = 0", body(registered_delivery=0)),
        ("validity = 'none'", body(validity=b"")),
        ("validity = 'none'\nvalidity_hours = 72", body(validity=b"")),
        ("validity_hours = 1", body(validity=b"000000010000000R")),
        ("validity_hours = 168", body(validity=b"000007000000000R")),
        ("validity = 'absolute'", body(validity=b"270117080000000+")),
        ("validity = 'absolute'\nvalidity_hours = 5", body(validity=b"270115130000000+")),
        ("source_numbering = {all = [0, 9]}", body(source=b"\x00\x09ESITO")),
        ("source_numbering = {alphanumeric = [5, 1], all = [0, 9]}", body(source=b"\x05\x01ESITO")),
        ("source_numbering = {short_code = [6, 6]}", body()),
        ("destination_numbering = {international = [1, 8]}", body(destination=b"\x01\x08")),
        ("destination_numbering = {all = [0, 0]}", body(destination=b"\x00\x00")),
        ("data_coding_gsm = 0xF1", body(data_coding=0xF1)),
        ("concatenation = 'udh'", body()),
    ],
)
@in_a_loop
async def test_the_fields_of_a_submit_sm(tmp_path: Path, lines: str, expected: bytes) -> None:
    assert await one(tmp_path, lines) == expected


@pytest.mark.parametrize(("own", "flag"), [(0, 1), (1, 1), (3, 3)])
@in_a_loop
async def test_a_priority_of_a_message_goes_before_that_of_the_link(tmp_path: Path, own: int, flag: int) -> None:
    async with peer() as smsc:
        link = configured(tmp_path, "priority_flag = 1", port=smsc.port)
        (pdu,) = await received(smsc, link, replace(submission(), priority=own))
    assert pdu.frame[16:] == body(priority_flag=flag)


@pytest.mark.parametrize(
    ("sender", "lines", "source"),
    [
        ("36180", "", b"\x03\x0036180"),
        ("36180", "source_numbering = {short_code = [6, 1]}", b"\x06\x0136180"),
        ("+33612345678", "", b"\x01\x01+33612345678"),
        ("33612345678", "source_numbering = {international = [0, 1]}", b"\x00\x0133612345678"),
        ("0612345678", "", b"\x02\x010612345678"),
        ("0612345678", "source_numbering = {national = [0, 8]}", b"\x00\x080612345678"),
        ("0033612345678", "", b"\x01\x010033612345678"),
        ("", "", b"\x00\x00"),
        ("", "source_numbering = {all = [3, 1]}", b"\x03\x01"),
        ("", "sender = 'Acme'", b"\x05\x00Acme"),
    ],
)
@in_a_loop
async def test_the_kind_of_a_sender_decides_its_numbering(
    tmp_path: Path, sender: str, lines: str, source: bytes
) -> None:
    assert await one(tmp_path, lines, sender=sender) == body(source=source)


@pytest.mark.parametrize(
    ("lines", "text", "data_coding", "octets"),
    [
        ("", "où @ €", 0, b"o\x06 \x00 \x1b\x65"),
        ("data_coding_gsm = 1", "où @ €", 1, b"o\x06 \x00 \x1b\x65"),
        ("alphabet = 'gsm-packed'", "hellohello", 0, bytes.fromhex("e8329bfd4697d9ec37")),
        ("alphabet = 'latin1'", "où @", 0, b"o\xf9 @"),
        ("alphabet = 'latin1'", "1 €", 8, "1 €".encode("utf-16-be")),
        ("alphabet = 'latin1'\ndata_coding_gsm = 0xF0", "1 €", 0xF0, b"1 \x1b\x65"),
        ("alphabet = 'ascii'", "ou @_$", 0, b"ou @_$"),
        ("alphabet = 'ascii'", "où", 3, b"o\xf9"),
        ("alphabet = 'ascii'\ndata_coding_latin1 = 0xF4", "où", 0xF4, b"o\xf9"),
        ("alphabet = 'ascii'\ndata_coding_ucs2 = 24", "1 €", 24, "1 €".encode("utf-16-be")),
        # As UCS-2 it would need two segments, and one was counted: the nearest in the operator's alphabet.
        ("alphabet = 'latin1'", "€" * 71, 0, b"?" * 71),
        ("alphabet = 'ascii'", "è€" + "x" * 150, 0, b"e?" + b"x" * 150),
        ("alphabet = 'ascii'", "è" + "x" * 141, 0, b"e" + b"x" * 141),
    ],
)  # fmt: skip
@in_a_loop
async def test_a_text_is_written_in_the_alphabet_of_the_operator(
    tmp_path: Path, lines: str, text: str, data_coding: int, octets: bytes
) -> None:
    assert await one(tmp_path, lines, text) == body(data_coding=data_coding, text=octets)


@in_a_loop
async def test_a_text_that_was_sent_as_unicode_stays_ucs2(tmp_path: Path) -> None:
    expected = body(data_coding=24, text="ciao".encode("utf-16-be"))
    lines = "alphabet = 'latin1'\ndata_coding_ucs2 = 24"
    assert await one(tmp_path, lines, unicode=True) == expected


async def all_of(
    folder: Path, lines: str, text: str = LONG, segments: int = 3, message_id: int = 0x1234
) -> list[bytes]:
    """Return the octets of the submit_sm of a long message, without the headers of the PDUs."""
    async with peer() as smsc:
        parts = [
            submission(text, part=part, segments=segments, message_id=message_id) for part in range(1, segments + 1)
        ]
        pdus = await received(smsc, configured(folder, lines, port=smsc.port), *parts)
    return [pdu.frame[16:] for pdu in pdus]


NUMBER = "+33612345678"
SHORT, WIDE = reference_of(0x1234, NUMBER, bits=8), reference_of(0x1234, NUMBER, bits=16)


@pytest.mark.parametrize("lines", ["", "concatenation = 'udh8'", "concatenation = 'udh'"])
@in_a_loop
async def test_segments_with_a_reference_of_8_bits(tmp_path: Path, lines: str) -> None:
    assert await all_of(tmp_path, lines) == [
        body(esm_class=0x40, text=bytes([5, 0, 3, SHORT, 3, part]) + b"x" * length)
        for part, length in ((1, 153), (2, 153), (3, 94))
    ]


@in_a_loop
async def test_segments_with_a_reference_of_16_bits_have_a_septet_less(tmp_path: Path) -> None:
    assert await all_of(tmp_path, "concatenation = 'udh16'") == [
        body(esm_class=0x40, text=bytes([6, 8, 4]) + struct.pack(">H", WIDE) + bytes([3, part]) + b"x" * length)
        for part, length in ((1, 152), (2, 152), (3, 96))
    ]


@in_a_loop
async def test_where_a_longer_header_would_need_one_segment_more_the_short_one_is_used(tmp_path: Path) -> None:
    assert await all_of(tmp_path, "concatenation = 'udh16'", "x" * 459) == [
        body(esm_class=0x40, text=bytes([5, 0, 3, SHORT, 3, part]) + b"x" * 153) for part in (1, 2, 3)
    ]


@in_a_loop
async def test_segments_tied_by_parameters(tmp_path: Path) -> None:
    assert await all_of(tmp_path, "concatenation = 'sar'") == [
        body(
            text=b"x" * length,
            tlvs=struct.pack(">HHHHHBHHB", 0x020C, 2, WIDE, 0x020E, 1, 3, 0x020F, 1, part),
        )
        for part, length in ((1, 152), (2, 152), (3, 96))
    ]


@pytest.mark.parametrize(
    ("lines", "text", "data_coding", "octets"),
    [
        ("", LONG, 0, LONG.encode()),
        ("alphabet = 'latin1'", "è" * 400, 0, b"\xe8" * 400),
        ("alphabet = 'gsm-packed'", LONG, 0, gsm0338.pack(b"x" * 400)),
        ("alphabet = 'ascii'", "€" * 200, 8, "€".encode("utf-16-be") * 200),
    ],
)
@in_a_loop
async def test_a_whole_text_in_message_payload(
    tmp_path: Path, lines: str, text: str, data_coding: int, octets: bytes
) -> None:
    frames = await all_of(tmp_path, f"concatenation = 'message_payload'\n{lines}", text)
    expected = body(data_coding=data_coding, text=b"", tlvs=struct.pack(">HH", 0x0424, len(octets)) + octets)
    assert frames[0] == expected


@in_a_loop
async def test_a_short_text_needs_no_message_payload(tmp_path: Path) -> None:
    assert await one(tmp_path, "concatenation = 'message_payload'") == body()


@in_a_loop
async def test_packed_septets_begin_behind_the_header(tmp_path: Path) -> None:
    frames = await all_of(tmp_path, "alphabet = 'gsm-packed'")
    assert [len(frame) for frame in frames] == [len(body(text=b"x" * length)) for length in (140, 140, 6 + 83)]
    text = frames[0][-134:]
    assert gsm0338.unpack(text, fill=1) == b"x" * 153
    assert text[0] == ord("x") << 1 & 0xFF


@pytest.mark.parametrize(("system_id", "password"), [("smsc", "secret"), ("i" * 64, "p" * 64)])
@in_a_loop
async def test_a_bind_says_who_we_are(tmp_path: Path, system_id: str, password: str) -> None:
    lines = "system_type = 'VMA'\ninterface_version = '5.0'\naddr_ton = 1\naddr_npi = 8\naddress_range = '^336'\n"
    async with peer() as smsc:
        await received(smsc, configured(tmp_path, lines, port=smsc.port, system_id=system_id, password=password))
        (bind,) = smsc.session.of(p.BindTransceiver)
    assert isinstance(bind, p.BindTransceiver)
    assert bind == p.BindTransceiver(
        sequence=1, system_id=system_id, password=password, system_type="VMA", interface_version=0x50,
        addr_ton=1, addr_npi=8, address_range="^336",
    )  # fmt: skip


@pytest.mark.parametrize(("lines", "version"), [("", 0x34), ("interface_version = '3.3'", 0x33)])
@in_a_loop
async def test_a_bind_names_its_version(tmp_path: Path, lines: str, version: int) -> None:
    async with peer() as smsc:
        await received(smsc, configured(tmp_path, lines, port=smsc.port))
        (bind,) = smsc.session.of(p.BindTransceiver)
    assert isinstance(bind, p.BindTransceiver)
    assert bind.interface_version == version
