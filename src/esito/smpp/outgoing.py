"""Builds the submit_sm of one segment, and the query_sm about it, as an operator wants them."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum
from functools import lru_cache
from zlib import crc32

from esito.domain.address import USUAL_NUMBERING, AddressKind, Numbering, numbered
from esito.domain.coding import LONG_HEADER, SHORT_HEADER, USUAL_CODINGS, Codings, Written, whole, write
from esito.domain.message import Submission
from esito.domain.opt_out import STOP_NUMBER, number_named, renamed
from esito.domain.status_query import Query
from esito.domain.text import long_udh, udh
from esito.domain.timing import SECOND_MS
from esito.smpp.pdu import EsmClass, QuerySm, SubmitSm, Tag

WANT_RECEIPT = 0x01
"""registered_delivery: a receipt on success and on failure (SMPP 3.4, 5.2.17)."""


class Concatenation(Enum):
    """How the segments of one text are joined."""

    UDH8 = "udh8"
    """User data header 05 00 03 (3GPP TS 23.040, 9.2.3.24.1), which nearly every operator accepts."""
    UDH16 = "udh16"
    """User data header 06 08 04, with a reference of 16 bits (9.2.3.24.8)."""
    SAR = "sar"
    """The TLVs sar_msg_ref_num, sar_total_segments and sar_segment_seqnum (SMPP 3.4, 5.3.2.22)."""
    MESSAGE_PAYLOAD = "message_payload"
    """The whole text in the TLV message_payload (5.3.2.32): the operator cuts it."""


class Validity(Enum):
    """How validity_period is written (SMPP 3.4, 7.1.1)."""

    RELATIVE = "relative"
    ABSOLUTE = "absolute"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingSettings:
    """What an operator wants in every submit_sm."""

    sender: str = ""
    """The sender of messages without one."""
    stop_number: str = STOP_NUMBER
    """The number that takes a STOP."""
    source_numbering: Numbering = field(default_factory=lambda: USUAL_NUMBERING)
    destination_numbering: Numbering = field(default_factory=lambda: USUAL_NUMBERING)
    service_type: str = ""
    protocol_id: int = 0
    priority_flag: int = 0
    """For messages without a priority."""
    registered_delivery: int = WANT_RECEIPT
    validity: Validity = Validity.RELATIVE
    validity_hours: int = 48
    codings: Codings = USUAL_CODINGS
    concatenation: Concatenation = Concatenation.UDH8


USUAL = OutgoingSettings()


def submit_sm(submission: Submission, settings: OutgoingSettings = USUAL, *, at: int = 0) -> SubmitSm:
    """Return the submit_sm of a segment; `at`: now, in milliseconds. The session sets its sequence number."""
    ton, npi, sender = source_of(submission.sender, settings)
    dest_ton, dest_npi = settings.destination_numbering[AddressKind.INTERNATIONAL]
    octets, data_coding, esm_class, tlvs = _text(submission, settings)
    return SubmitSm(
        service_type=settings.service_type,
        source_addr_ton=ton,
        source_addr_npi=npi,
        source_addr=sender,
        dest_addr_ton=dest_ton,
        dest_addr_npi=dest_npi,
        destination_addr=submission.msisdn.removeprefix("+"),
        esm_class=esm_class,
        protocol_id=settings.protocol_id,
        priority_flag=submission.priority or settings.priority_flag,
        validity_period=validity_period(settings.validity, settings.validity_hours, at),
        registered_delivery=settings.registered_delivery,
        data_coding=data_coding,
        short_message=octets,
        tlvs=tlvs,
    )


def source_of(sender: str, settings: OutgoingSettings) -> tuple[int, int, str]:
    """Return TON, NPI and source address of a message; `sender` may be empty."""
    sender = sender or settings.sender
    return *numbered(sender, settings.source_numbering), sender


def query_sm(query: Query, settings: OutgoingSettings = USUAL) -> QuerySm:
    """Return the query_sm about a segment, with its id and the source address of its submit_sm (SMPP 3.4, 4.8.1)."""
    ton, npi, sender = source_of(query.sender, settings)
    return QuerySm(message_id=query.smsc_message_id, source_addr_ton=ton, source_addr_npi=npi, source_addr=sender)


def validity_period(validity: Validity, hours: int, at: int) -> str:
    """Return validity_period: relative, or the instant that many hours after `at` in UTC."""
    if validity is Validity.RELATIVE:
        return _span(hours)
    return _date(at // SECOND_MS, hours) if validity is Validity.ABSOLUTE else ""


@lru_cache(maxsize=256)
def _span(hours: int) -> str:
    return f"0000{hours // 24:02}{hours % 24:02}0000000R"


@lru_cache(maxsize=256)
def _date(second: int, hours: int) -> str:
    return f"{datetime.fromtimestamp(second, UTC) + timedelta(hours=hours):%y%m%d%H%M%S}000+"


@lru_cache(maxsize=1024)
def reference_of(message_id: int, msisdn: str, bits: int) -> int:
    """Return the reference that joins the segments of a message to one number.

    It depends on message and number only, so every process and every try finds the same. Two messages to
    one number have different references if their ids are consecutive, in one block of 2**bits ids, or
    2**bits apart. Others may agree by chance: with 8 bits at most one pair in 64.
    """
    block, place = message_id >> bits, message_id & (1 << bits) - 1
    # The offset of each block is pseudo-random, in steps of four; neighbours never differ by 0 or -1 (modulo 4).
    drawn = _mixed(crc32(msisdn.encode()) + block * 0x9E3779B97F4A7C15)
    return (place + 4 * drawn + 2 * (block & 1)) % (1 << bits)


def _mixed(number: int) -> int:
    """Return 32 well-mixed bits (the finalizer of SplitMix64)."""
    number = ((number ^ number >> 30) * 0xBF58476D1CE4E5B9) & _SIXTY_FOUR_BITS
    number = ((number ^ number >> 27) * 0x94D049BB133111EB) & _SIXTY_FOUR_BITS
    return number >> 32


_SIXTY_FOUR_BITS = (1 << 64) - 1


_Text = tuple[bytes, int, int, dict[int, bytes]]
"""short_message, data_coding, esm_class and optional parameters."""


def _text(submission: Submission, settings: OutgoingSettings) -> _Text:
    total, part, way = submission.segments, submission.ref.part, settings.concatenation
    text = _text_of(submission, settings)
    if total == 1:
        return *_alone(text, submission.unicode, settings.codings), 0, {}
    if way is Concatenation.MESSAGE_PAYLOAD:
        octets, data_coding = whole(text, unicode=submission.unicode, codings=settings.codings)
        return b"", data_coding, 0, {Tag.MESSAGE_PAYLOAD: octets}
    written = _tied(text, submission.unicode, total, settings.codings, way)
    octets, data_coding = written.pieces[part - 1], written.data_coding
    wide = written.header == LONG_HEADER
    reference = reference_of(submission.ref.message_id, submission.msisdn, 16 if wide else 8)
    if way is Concatenation.SAR:
        tlvs: dict[int, bytes] = {
            Tag.SAR_MSG_REF_NUM: reference.to_bytes(2, "big"),
            Tag.SAR_TOTAL_SEGMENTS: bytes([total]),
            Tag.SAR_SEGMENT_SEQNUM: bytes([part]),
        }
        return octets, data_coding, 0, tlvs
    header = long_udh if wide else udh
    return header(reference, total, part) + octets, data_coding, EsmClass.UDHI, {}


def _text_of(submission: Submission, settings: OutgoingSettings) -> str:
    """Return the text, with the number of this link in its STOP mention."""
    before = submission.stop_number
    if not before:
        return submission.text
    number = number_named(submission.sender, settings.stop_number)
    return renamed(submission.text, before, number, unicode=submission.unicode)


@lru_cache(maxsize=1024)
def _alone(text: str, unicode: bool, codings: Codings) -> tuple[bytes, int]:
    written = write(text, unicode=unicode, segments=1, codings=codings)
    return written.pieces[0], written.data_coding


@lru_cache(maxsize=1024)
def _tied(text: str, unicode: bool, segments: int, codings: Codings, way: Concatenation) -> Written:
    """Encode a text in several segments; from sar_* the operator may make the long header too."""
    header = SHORT_HEADER if way is Concatenation.UDH8 else LONG_HEADER
    in_header = way is not Concatenation.SAR
    return write(text, unicode=unicode, segments=segments, codings=codings, header=header, in_header=in_header)
