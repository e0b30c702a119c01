"""Makes the submit_sm of one segment: addresses, coding, concatenation, validity, receipt wanted."""

from enum import Enum
from functools import lru_cache

from esito.domain.message import Submission
from esito.domain.text import SegmentText, prepare, split, udh
from esito.smpp.address import source_numbering
from esito.smpp.pdu import EsmClass, SubmitSm, Tag

VALIDITY_PERIOD = "000002000000000R"
"""48 hours, relative (SMPP 3.4, 7.1.1; contract 1.5)."""

WANT_RECEIPT = 0x01
"""registered_delivery: a receipt on success and on failure (SMPP 3.4, 5.2.17)."""


class Concatenation(Enum):
    """How the segments of one text are tied together."""

    UDH = "udh"
    """User data header 05 00 03 (3GPP TS 23.040, 9.2.3.24.1): what nearly every operator takes."""
    SAR = "sar"
    """The parameters sar_msg_ref_num, sar_total_segments and sar_segment_seqnum (SMPP 3.4, 5.3.2.22)."""


@lru_cache(maxsize=1024)
def _segments(text: str, unicode: bool) -> tuple[SegmentText, ...]:
    return split(prepare(text, unicode=unicode))


def submit_sm(
    submission: Submission, *, default_sender: str = "", concatenation: Concatenation = Concatenation.UDH
) -> SubmitSm:
    """Return the submit_sm of this segment; its sequence number is the session's to set."""
    segment = _segments(submission.text, submission.unicode)[submission.ref.part - 1]
    sender = submission.sender or default_sender
    ton, npi = source_numbering(sender)
    octets, esm_class = segment.octets, 0
    tlvs: dict[int, bytes] = {}
    if submission.segments > 1:
        # All segments of one message share a reference; consecutive messages to a number differ.
        reference, part = submission.ref.message_id & 0xFF, submission.ref.part
        if concatenation is Concatenation.UDH:
            esm_class = EsmClass.UDHI
            octets = udh(reference, submission.segments, part) + octets
        else:
            tlvs = {
                Tag.SAR_MSG_REF_NUM: reference.to_bytes(2, "big"),
                Tag.SAR_TOTAL_SEGMENTS: bytes([submission.segments]),
                Tag.SAR_SEGMENT_SEQNUM: bytes([part]),
            }
    return SubmitSm(
        source_addr_ton=ton,
        source_addr_npi=npi,
        source_addr=sender,
        dest_addr_ton=1,
        dest_addr_npi=1,
        destination_addr=submission.msisdn.removeprefix("+"),
        esm_class=esm_class,
        validity_period=VALIDITY_PERIOD,
        registered_delivery=WANT_RECEIPT,
        data_coding=segment.data_coding,
        short_message=octets,
        tlvs=tlvs,
    )
