"""What must hold of any octets: stated once, for hypothesis and for the coverage-guided fuzzer alike.

Each takes octets, raises nothing but AssertionError, and is a target of `scripts/fuzz.py`.
"""

from collections.abc import Callable
from datetime import UTC
from zoneinfo import ZoneInfo

from esito.domain.states import MessageState
from esito.smpp.codec import FrameBuffer, InvalidDelivery, InvalidLength, InvalidPdu, LocalProtocolError, decode, encode
from esito.smpp.incoming import IncomingSettings
from esito.smpp.pdu import DataSm, DeliverSm, Pdu, SubmitSm
from esito.smpp.receipts import DeliveryKind, kind_of, read_receipt

AT = 1_800_000_000_000
ZONES = (UTC, ZoneInfo("Europe/Paris"), ZoneInfo("Pacific/Kiritimati"))


def stream_is_cut_or_refused(octets: bytes) -> None:
    """However a stream is split, the same frames come out, and each is read or refused as a whole."""
    whole, split = _frames([octets]), _frames([octets[at : at + 1] for at in range(len(octets))])
    assert whole == split
    for frame in whole[0]:
        _read_again(frame)


def receipt_is_understood(octets: bytes) -> None:
    """Whatever a deliver_sm or data_sm brings, its receipt keeps the frame and says only what it may."""
    choice, text = (octets[0], octets[1:255]) if octets else (0, b"")
    tlvs = {0x0424: text} if choice & 1 else {}
    for pdu in (
        DeliverSm(esm_class=choice & 0x3C, data_coding=choice >> 4, short_message=text, tlvs=tlvs),
        DataSm(esm_class=choice & 0x3C, data_coding=choice >> 4, tlvs={0x001E: text[:64], 0x0427: text[-1:], **tlvs}),
    ):
        _settled_well(pdu, choice)


def pdu_brings_a_receipt(octets: bytes) -> None:
    """A frame of a deliver_sm or data_sm is understood, whatever its fields hold, or kept as it is."""
    for command in (0x00000005, 0x00000103):
        frame = b"".join(part.to_bytes(4) for part in (16 + len(octets), command, 0, 7)) + octets
        try:
            pdu = decode(frame)
        except InvalidDelivery as error:
            pdu = error.pdu
        assert isinstance(pdu, DeliverSm | DataSm)
        assert pdu.frame == frame
        _settled_well(pdu, len(octets))


TARGETS: dict[str, Callable[[bytes], None]] = {
    "codec": stream_is_cut_or_refused,
    "receipt": receipt_is_understood,
    "deliver": pdu_brings_a_receipt,
}


def _frames(pieces: list[bytes]) -> tuple[list[bytes], bool]:
    """Return the frames of a stream, and whether it was given up."""
    buffer, found = FrameBuffer(), []
    try:
        for piece in pieces:
            found += [bytes(frame) for frame in buffer.feed(piece)]
    except InvalidLength as error:
        return found + [bytes(frame) for frame in error.frames], True
    return found, False


def _read_again(frame: bytes) -> None:
    try:
        read = decode(frame)
    except InvalidPdu:
        return
    if isinstance(read, SubmitSm | DeliverSm | DataSm) and read.damaged:
        return  # its good part was kept; the rest cannot be written again
    try:
        written = encode(read)
    except LocalProtocolError:
        return  # fields longer than SMPP allows are read, as operators send them, but never written
    # Refusals are written without what they carried; what we write we read as we meant it.
    assert read.status or _fields(decode(written)) == _fields(read)
    assert encode(decode(written)) == written


def _fields(pdu: Pdu) -> dict[str, object]:
    return {name: getattr(pdu, name) for name in pdu.__struct_fields__ if name != "frame"}


def _settled_well(pdu: DeliverSm | DataSm, choice: int) -> None:
    assert kind_of(pdu) in DeliveryKind
    receipt = read_receipt(pdu, link="alpha", at=AT, settings=IncomingSettings(zone=ZONES[choice % len(ZONES)]))
    assert receipt.state is None or receipt.state in MessageState
    assert receipt.raw == pdu.frame
    assert len(receipt.smsc_message_id) <= 255
    assert len(receipt.stat) <= 64
    assert len(receipt.error_code) <= 32
    for word in (receipt.smsc_message_id, receipt.stat, receipt.error_code):
        word.encode("utf-8")  # it can be kept and shown
