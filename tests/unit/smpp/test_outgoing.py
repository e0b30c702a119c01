"""The submit_sm of a segment."""

from dataclasses import replace

import pytest

from esito.domain.address import USUAL_NUMBERING, numbered
from esito.domain.message import SegmentRef, Submission
from esito.smpp.outgoing import Concatenation, OutgoingSettings, reference_of, submit_sm
from esito.smpp.pdu import EsmClass, Tag


def submission(text: str = "ciao", *, part: int = 1, segments: int = 1, sender: str = "ESITO") -> Submission:
    return Submission(
        ref=SegmentRef(message_id=0x1234, seq=0, part=part),
        msisdn="+33612345678",
        sender=sender,
        text=text,
        unicode=not text.isascii(),
        segments=segments,
        attempts=0,
    )


def test_a_receipt_is_wanted_within_48_hours() -> None:
    pdu = submit_sm(submission())
    assert (pdu.registered_delivery, pdu.validity_period) == (1, "000002000000000R")
    assert (pdu.dest_addr_ton, pdu.dest_addr_npi, pdu.destination_addr) == (1, 1, "33612345678")
    assert (pdu.short_message, pdu.data_coding, pdu.esm_class) == (b"ciao", 0, 0)


@pytest.mark.parametrize(
    ("sender", "named", "leaves_as"),
    [
        ("", "36111", "ciao STOP au 36222"),
        ("SHOP", "36111", "ciao STOP au 36222"),
        ("SHOP", "36222", "ciao STOP au 36222"),
        ("36444", "36444", "ciao STOP au 36444"),
        ("SHOP", "", "ciao STOP au 36111"),  # its author's words
    ],
)
def test_the_stop_mention_names_the_number_of_the_link_it_leaves_by(sender: str, named: str, leaves_as: str) -> None:
    text = f"ciao STOP au {named or '36111'}"
    one = replace(submission(text, sender=sender), stop_number=named)
    assert submit_sm(one, OutgoingSettings(sender="36222", stop_number="36222")).short_message == leaves_as.encode()


def test_a_long_text_keeps_its_segments_under_another_number() -> None:
    text = "x" * 290 + " STOP au +33700000001"
    parts = [
        submit_sm(
            replace(submission(text, part=part, segments=3, sender=""), stop_number="+33700000001"),
            OutgoingSettings(stop_number="36222"),
        ).short_message[6:]
        for part in (1, 2, 3)
    ]
    assert b"".join(parts) == b"x" * 290 + b" " * 7 + b" STOP au 36222"
    assert [len(part) for part in parts] == [153, 153, 5]


def test_what_gsm_lacks_goes_as_ucs2() -> None:
    pdu = submit_sm(submission("Привет"))
    assert (pdu.short_message, pdu.data_coding) == ("Привет".encode("utf-16-be"), 8)


@pytest.mark.parametrize("part", [1, 2, 3])
def test_segments_are_tied_by_a_user_data_header(part: int) -> None:
    pdu = submit_sm(submission("x" * 400, part=part, segments=3))
    assert pdu.esm_class == EsmClass.UDHI
    assert pdu.short_message[:6] == bytes([5, 0, 3, reference_of(0x1234, "+33612345678", bits=8), 3, part])
    assert len(pdu.short_message) == 6 + (153 if part < 3 else 400 - 306)


def test_segments_are_tied_by_parameters_where_the_operator_wants_them() -> None:
    pdu = submit_sm(submission("x" * 400, part=2, segments=3), OutgoingSettings(concatenation=Concatenation.SAR))
    assert pdu.esm_class == 0
    assert pdu.tlvs == {
        Tag.SAR_MSG_REF_NUM: reference_of(0x1234, "+33612345678", bits=16).to_bytes(2, "big"),
        Tag.SAR_TOTAL_SEGMENTS: b"\x03",
        Tag.SAR_SEGMENT_SEQNUM: b"\x02",
    }


def test_a_link_lends_its_sender_to_a_message_without_one() -> None:
    pdu = submit_sm(submission(sender=""), OutgoingSettings(sender="36180"))
    assert (pdu.source_addr, pdu.source_addr_ton) == ("36180", 3)


@pytest.mark.parametrize(
    ("sender", "usual"),
    [("ESITO", (5, 0)), ("36180", (3, 0)), ("33612345678", (1, 1)), ("+33612345678", (1, 1)), ("", (0, 0))],
)
def test_type_and_plan_of_a_sender(sender: str, usual: tuple[int, int]) -> None:
    assert numbered(sender, USUAL_NUMBERING) == usual
