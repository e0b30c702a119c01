"""PDUs to octets and back, and what is refused."""

import struct
from typing import Any

import pytest

from esito.smpp import pdu as p
from esito.smpp.codec import (
    COMMAND_OF,
    MAX_PDU,
    FrameBuffer,
    InvalidDelivery,
    InvalidLength,
    InvalidPdu,
    LocalProtocolError,
    UnknownCommand,
    decode,
    deliver_sm_resp_bytes,
    encode,
)

TLVS = {0x001E: b"abc\0", 0x1400: b"\x01\x02", 0x0427: b"\x02"}

ADDRESSES: dict[str, Any] = {
    "source_addr_ton": 5,
    "source_addr": "ESITO",
    "dest_addr_ton": 1,
    "destination_addr": "33612345678",
}

PDUS = [
    p.BindTransceiver(sequence=1, system_id="smsc", password="secret", system_type="x", address_range="336"),
    p.BindReceiver(sequence=1, system_id="smsc"),
    p.BindTransmitter(sequence=1, system_id="smsc"),
    p.BindTransceiverResp(sequence=1, system_id="peer", tlvs={0x0210: b"\x34"}),
    p.BindReceiverResp(sequence=1, system_id="peer"),
    p.BindTransmitterResp(sequence=1, status=0x0E),
    p.SubmitSm(sequence=2, **ADDRESSES, short_message=b"ciao", data_coding=8, tlvs=TLVS),
    p.DeliverSm(sequence=3, **ADDRESSES, short_message=b"id:1 stat:DELIVRD", esm_class=4, tlvs=TLVS),
    p.DataSm(sequence=4, **ADDRESSES, tlvs=TLVS),
    p.SubmitSmResp(sequence=2, message_id="0A1F"),
    p.SubmitSmResp(sequence=2, status=0x58),
    p.DeliverSmResp(sequence=3),
    p.DataSmResp(sequence=4, message_id="9", tlvs={0x0427: b"\x02"}),
    p.QuerySm(sequence=5, message_id="1", source_addr="ESITO"),
    p.QuerySmResp(sequence=5, message_id="1", message_state=2),
    p.Unbind(sequence=6),
    p.UnbindResp(sequence=6),
    p.EnquireLink(sequence=7),
    p.EnquireLinkResp(sequence=7),
    p.GenericNack(sequence=8, status=3),
]


def plain(pdu: p.Pdu) -> dict[str, object]:
    """Return its fields, less the octets it came in."""
    return {name: getattr(pdu, name) for name in pdu.__struct_fields__ if name != "frame"}


@pytest.mark.parametrize("pdu", PDUS, ids=lambda pdu: f"{type(pdu).__name__}-{pdu.status}")
def test_what_is_written_is_read_again(pdu: p.Pdu) -> None:
    read = decode(encode(pdu))
    assert type(read) is type(pdu)
    assert plain(read) == plain(pdu)


def test_every_kind_of_pdu_is_tried() -> None:
    assert {type(pdu) for pdu in PDUS} == set(COMMAND_OF)


def test_unknown_parameters_are_kept_in_their_order() -> None:
    read = decode(encode(p.DeliverSm(tlvs=TLVS)))
    assert isinstance(read, p.DeliverSm)
    assert list(read.tlvs.items()) == list(TLVS.items())


def test_a_repeated_parameter_counts_the_first_time() -> None:
    frame = encode(p.DeliverSm()) + struct.pack(">HHB", 0x0427, 1, 2) + struct.pack(">HHB", 0x0427, 1, 5)
    read = decode(struct.pack(">I", len(frame)) + frame[4:])
    assert isinstance(read, p.DeliverSm)
    assert read.tlvs == {0x0427: b"\x02"}


@pytest.mark.parametrize("length", [0, 1, 15, MAX_PDU + 1, 0xFFFFFFFF])
def test_an_impossible_command_length_ends_the_stream(length: int) -> None:
    with pytest.raises(InvalidLength):
        FrameBuffer().feed(struct.pack(">I", length))


def test_octets_one_by_one_make_the_same_frames() -> None:
    stream = b"".join(encode(pdu) for pdu in PDUS)
    buffer = FrameBuffer()
    one_by_one = [frame for octet in stream for frame in buffer.feed(bytes([octet]))]
    assert one_by_one == FrameBuffer().feed(stream) == [encode(pdu) for pdu in PDUS]
    assert buffer.is_empty


def test_a_begun_pdu_is_not_empty() -> None:
    buffer = FrameBuffer()
    assert buffer.feed(encode(p.EnquireLink())[:5]) == []
    assert not buffer.is_empty


def test_an_unknown_command_is_named() -> None:
    with pytest.raises(UnknownCommand) as caught:
        decode(struct.pack(">IIII", 16, 0x00000999, 0, 77))
    assert (caught.value.command_id, caught.value.sequence, caught.value.status) == (0x999, 77, 0x03)


@pytest.mark.parametrize("cut", range(17, 40, 3))
def test_a_request_that_ends_too_early_is_invalid(cut: int) -> None:
    whole = encode(p.DeliverSm(sequence=9, **ADDRESSES))
    with pytest.raises(InvalidPdu) as caught:
        decode(struct.pack(">I", cut) + whole[4:cut])
    assert (caught.value.sequence, caught.value.status) == (9, 0x01)


@pytest.mark.parametrize("kind", [p.DeliverSm, p.DataSm])
@pytest.mark.parametrize("status", [0, 8])
@pytest.mark.parametrize("cut", range(16, 40, 3))
def test_a_delivery_that_ends_too_early_is_kept_whole(
    kind: type[p.DeliverSm | p.DataSm], status: int, cut: int
) -> None:
    whole = encode(kind(sequence=9, **ADDRESSES))
    frame = struct.pack(">IIII", cut, COMMAND_OF[kind], status, 9) + whole[16:cut]
    with pytest.raises(InvalidDelivery) as caught:
        decode(frame)
    assert caught.value.pdu == kind(sequence=9, status=status, unreadable=True, frame=frame)


@pytest.mark.parametrize("kind", [p.DeliverSm, p.DataSm])
@pytest.mark.parametrize(
    ("tlvs", "disagrees"),
    [
        ([(0x0427, b"\x02"), (0x0427, b"\x05")], True),
        ([(0x0427, b"\x02"), (0x0427, b"\x02")], False),
        ([(0x001E, b"1\0"), (0x0427, b"\x02"), (0x001E, b"2\0")], True),
        ([(0x0381, b"1"), (0x0381, b"2")], False),
    ],
)
def test_a_parameter_of_receipts_that_says_two_things_is_noted(
    kind: type[p.DeliverSm | p.DataSm], tlvs: list[tuple[int, bytes]], disagrees: bool
) -> None:
    frame = encode(kind()) + b"".join(struct.pack(">HH", tag, len(said)) + said for tag, said in tlvs)
    read = decode(struct.pack(">I", len(frame)) + frame[4:])
    assert isinstance(read, p.DeliverSm | p.DataSm)
    assert read.disagrees is disagrees
    assert read.tlvs[tlvs[0][0]] == tlvs[0][1]


@pytest.mark.parametrize(
    ("body", "read_as"),
    [
        (b"  ABC123  \0", "ABC123"),
        (b"ABC123\r\n\0\xff\xfe", "ABC123"),
        (b"\0ABC", ""),
        (b"AB 12\0", "AB 12"),
        (b"9" * 255 + b"\0", "9" * 255),
        (b"9" * 400 + b"\0", "9" * 255),
    ],
)
def test_the_id_of_a_response_is_what_stands_between_blanks(body: bytes, read_as: str) -> None:
    read = decode(struct.pack(">IIII", 16 + len(body), p.Command.SUBMIT_SM_RESP, 0, 1) + body)
    assert isinstance(read, p.SubmitSmResp)
    assert read.message_id == read_as


def test_a_text_longer_than_the_pdu_is_cut_and_said_to_be() -> None:
    whole = encode(p.DeliverSm(short_message=b"0123456789"))
    cut = whole[:-5]
    read = decode(struct.pack(">I", len(cut)) + cut[4:])
    assert isinstance(read, p.DeliverSm)
    assert (read.short_message, read.damaged) == (b"01234", True)


def test_a_parameter_longer_than_the_pdu_is_cut_and_said_to_be() -> None:
    frame = encode(p.DeliverSm(short_message=b"x")) + struct.pack(">HH", 0x001E, 400) + b"abc"
    read = decode(struct.pack(">I", len(frame)) + frame[4:])
    assert isinstance(read, p.DeliverSm)
    assert (read.tlvs, read.damaged) == ({0x001E: b"abc"}, True)


@pytest.mark.parametrize("body", [b"", b"42", b"42\0"])
def test_a_message_id_may_lack_its_nul_or_be_missing(body: bytes) -> None:
    read = decode(struct.pack(">IIII", 16 + len(body), p.Command.SUBMIT_SM_RESP, 0, 1) + body)
    assert isinstance(read, p.SubmitSmResp)
    assert read.message_id == body.rstrip(b"\0").decode()


@pytest.mark.parametrize(
    "pdu",
    [
        p.BindTransceiver(system_id="x" * 65),
        p.BindTransceiver(password="x" * 65),
        p.SubmitSm(source_addr="x" * 21),
        p.SubmitSm(source_addr="a\0b"),
        p.SubmitSm(source_addr="€"),
        p.SubmitSm(data_coding=256),
        p.SubmitSm(short_message=b"x" * 255),
        p.DataSm(tlvs={1: b"x" * 65535, 2: b"x" * 65535}),
    ],
    ids=["system_id", "password", "too long", "NUL", "not latin-1", "octet", "short_message", "PDU"],
)
def test_what_smpp_has_no_room_for_is_not_written(pdu: p.Pdu) -> None:
    with pytest.raises(LocalProtocolError):
        encode(pdu)


@pytest.mark.parametrize("status", [0, 0x14])
def test_the_quick_deliver_sm_resp_is_the_usual_one(status: int) -> None:
    read = decode(deliver_sm_resp_bytes(7, status))
    assert read == p.DeliverSmResp(sequence=7, status=status)


def test_a_header_alone_is_needed() -> None:
    with pytest.raises(InvalidLength):
        decode(b"\0\0\0\x0f")
