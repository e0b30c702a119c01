"""Whatever octets come, only the documented errors leave the codec and the receipt reader."""

import struct
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from esito.smpp.codec import MAX_PDU, FrameBuffer, InvalidLength, InvalidPdu, decode, encode
from esito.smpp.pdu import Command, DataSm, DeliverSm, SubmitSm
from esito.smpp.receipts import kind_of, read_receipt

COMMANDS = st.sampled_from([int(one) for one in Command]) | st.integers(0, 2**32 - 1)
OCTETS = st.integers(0, 255)
TLVS = st.dictionaries(st.integers(0, 0xFFFF), st.binary(max_size=80), max_size=5)
WORDS = st.text(st.characters(codec="latin-1", exclude_characters="\0"), max_size=20)


@given(COMMANDS, st.integers(0, 2**32 - 1), st.binary(max_size=300))
def test_any_body_is_read_or_refused(command: int, status: int, body: bytes) -> None:
    frame = struct.pack(">IIII", 16 + len(body), command, status, 7) + body
    try:
        pdu = decode(frame)
    except InvalidPdu as error:
        read = error.sequence, status
    else:
        read = pdu.sequence, pdu.status
    assert read == (7, status)


@given(st.lists(st.binary(max_size=60), max_size=20))
def test_any_stream_is_cut_or_refused(pieces: list[bytes]) -> None:
    buffer, said = FrameBuffer(), 0
    try:
        for piece in pieces:
            said += sum(len(frame) for frame in buffer.feed(piece))
    except InvalidLength:
        return
    assert said <= sum(map(len, pieces))


FIELDS = st.fixed_dictionaries(
    {
        "source_addr": WORDS,
        "destination_addr": WORDS,
        "esm_class": OCTETS,
        "data_coding": OCTETS,
        "short_message": st.binary(max_size=254),
        "tlvs": TLVS,
    }
)


@given(st.sampled_from([SubmitSm, DeliverSm]), FIELDS)
def test_what_is_written_is_read_again(kind: type[SubmitSm] | type[DeliverSm], fields: dict[str, Any]) -> None:
    octets = encode(kind(**fields))
    assert len(octets) <= MAX_PDU
    read = decode(octets)
    assert type(read) is kind
    assert {name: getattr(read, name) for name in fields} == fields
    assert not read.damaged


RECEIPTISH = st.lists(
    st.sampled_from(["id:", "stat:", "DELIVRD", "err:", "done date:", "2611231130", "text:", " ", "\0", "9", ":", "€"])
    | st.text(max_size=5),
    max_size=20,
).map("".join)


@given(RECEIPTISH.map(lambda text: text.encode("utf-8")[:254]) | st.binary(max_size=254), OCTETS, OCTETS, TLVS)
def test_any_receipt_is_understood_somehow(text: bytes, esm_class: int, coding: int, tlvs: dict[int, bytes]) -> None:
    for pdu in (
        DeliverSm(short_message=text, esm_class=esm_class, data_coding=coding, tlvs=tlvs),
        DataSm(esm_class=esm_class, tlvs={**tlvs, 0x0424: text}),
    ):
        kind_of(pdu)
        receipt = read_receipt(pdu, link="alpha", at=1_800_000_000_000)
        assert len(receipt.smsc_message_id) <= 255
        assert len(receipt.stat) <= 64
        assert len(receipt.error_code) <= 32
