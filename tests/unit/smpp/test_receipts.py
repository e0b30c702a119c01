"""Delivery receipts in the forms operators write them."""

import struct
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esito.domain.belief import is_addressed
from esito.domain.receipt import DeliveryReceipt
from esito.domain.states import MessageState
from esito.smpp.codec import decode
from esito.smpp.incoming import IncomingSettings
from esito.smpp.pdu import Command, DataSm, DeliverSm, EsmClass, SubmitSmResp, Tag
from esito.smpp.receipts import DeliveryKind, has_text_of_receipt, kind_of, read_receipt

AT = int(datetime(2026, 11, 23, 12, 0, tzinfo=UTC).timestamp() * 1000)

USUAL = "id:0A1F sub:001 dlvrd:001 submit date:2611231100 done date:2611231130 stat:DELIVRD err:000 text:ciao"


def read(text: str = "", *, zone: Any = UTC, **fields: Any) -> DeliveryReceipt:
    octets = text.encode("latin-1")
    return read_receipt(
        DeliverSm(esm_class=4, short_message=octets, **fields),
        link="alpha",
        at=AT,
        settings=IncomingSettings(zone=zone),
    )


def test_a_receipt_by_the_book() -> None:
    receipt = read(USUAL)
    assert (receipt.smsc_message_id, receipt.state, receipt.stat, receipt.error_code) == (
        "0A1F",
        MessageState.DELIVERED,
        "DELIVRD",
        "000",
    )
    assert receipt.done_at == AT - 30 * 60_000
    assert receipt.flags == ""


@pytest.mark.parametrize(
    "text",
    [
        USUAL.lower().replace("0a1f", "0A1F"),
        USUAL.replace(" text:ciao", ""),
        "id:0A1F stat:DELIVRD err:000 done date:2611231130",
        "stat:DELIVRD done_date:2611231130 err:000 id:0A1F sub:1",
        "id: 0A1F  sub: 001  done date: 2611231130  stat: DELIVRD  err: 000  Text: x",
        "id:0A1F sub:001 dlvrd:001 submit date:261123110000 done date:261123113000 stat:DELIVRD err:000 text:",
        "id:0A1F done date:20261123113000 stat:DELIVRD err:000",
        USUAL + "\0",
    ],
    ids=["lower case", "no text", "few fields", "other order", "blanks", "seconds", "four-digit year", "NUL"],
)
def test_other_spellings_say_the_same(text: str) -> None:
    receipt = read(text)
    assert (receipt.smsc_message_id, receipt.state, receipt.error_code, receipt.done_at) == (
        "0A1F",
        MessageState.DELIVERED,
        "000",
        AT - 30 * 60_000,
    )


def test_the_subscribers_text_does_not_pass_for_a_field() -> None:
    receipt = read("id:1 stat:UNDELIV text:id:2 stat:DELIVRD err:001")
    assert (receipt.smsc_message_id, receipt.state, receipt.error_code) == ("1", MessageState.UNDELIVERABLE, "")


def test_a_hexadecimal_error_does_not_disturb() -> None:
    assert read(USUAL.replace("err:000", "err:A1B")).error_code == "A1B"


def test_parameters_win_over_the_text() -> None:
    receipt = read(
        USUAL,
        tlvs={
            Tag.RECEIPTED_MESSAGE_ID: b"77\0",
            Tag.MESSAGE_STATE: b"\x05",
            Tag.NETWORK_ERROR_CODE: b"\x03\x00\x1b",
        },
    )
    assert (receipt.smsc_message_id, receipt.state, receipt.error_code) == ("77", MessageState.UNDELIVERABLE, "3:27")


def test_broken_text_is_read_from_its_parameters_alone() -> None:
    receipt = read("\xff\xfe\x00garbage", tlvs={Tag.RECEIPTED_MESSAGE_ID: b"77", Tag.MESSAGE_STATE: b"\x02"})
    assert (receipt.smsc_message_id, receipt.state) == ("77", MessageState.DELIVERED)


def test_a_text_in_ucs2_is_read() -> None:
    pdu = DeliverSm(esm_class=4, data_coding=8, short_message=USUAL.encode("utf-16-be"))
    assert read_receipt(pdu, link="alpha", at=AT).smsc_message_id == "0A1F"


def test_a_text_in_message_payload_is_read() -> None:
    pdu = DataSm(esm_class=4, tlvs={Tag.MESSAGE_PAYLOAD: USUAL.encode()})
    assert read_receipt(pdu, link="alpha", at=AT).state is MessageState.DELIVERED


def test_an_unknown_word_is_kept_and_moves_nobody() -> None:
    receipt = read("id:1 stat:MAYBE")
    assert (receipt.state, receipt.stat) == (None, "MAYBE")


@pytest.mark.parametrize(
    ("date", "flag"),
    [("2611231300", "skewed_date"), ("2613451130", "bad_date"), ("yesterday", "bad_date"), ("26112311", "bad_date")],
)
def test_a_date_that_cannot_be_true_is_flagged_and_not_used(date: str, flag: str) -> None:
    receipt = read(f"id:1 stat:DELIVRD done date:{date}")
    assert (receipt.done_at, receipt.flags) == (None, flag)


def test_a_date_is_in_the_operators_zone() -> None:
    assert read(USUAL.replace("1130 stat", "1230 stat"), zone=ZoneInfo("Europe/Paris")).done_at == AT - 30 * 60_000


def test_a_damaged_pdu_is_flagged() -> None:
    assert read(USUAL, damaged=True).flags == "bad_tlv"


@pytest.mark.parametrize(
    ("length", "kept", "flags"), [(64, 64, ""), (65, 65, "long_id"), (255, 255, "long_id"), (400, 255, "long_id")]
)
def test_a_long_id_is_flagged_and_cut_where_a_response_is_cut_too(length: int, kept: int, flags: str) -> None:
    for receipt in (
        read(f"id:{'9' * length} stat:DELIVRD"),
        read("stat:DELIVRD", tlvs={Tag.RECEIPTED_MESSAGE_ID: b"9" * length + b"\0"}),
    ):
        assert (receipt.smsc_message_id, receipt.flags) == ("9" * kept, flags)


@given(
    st.text(st.characters(codec="latin-1", exclude_characters="\0"), max_size=300),
    st.text(" \t\r\n", max_size=3),
    st.text(" \t\r\n\0", max_size=3),
)
def test_an_id_is_the_same_in_a_response_and_in_a_parameter(written: str, before: str, after: str) -> None:
    octets = (before + written + after).encode("latin-1")
    response = decode(struct.pack(">IIII", 16 + len(octets), Command.SUBMIT_SM_RESP, 0, 1) + octets)
    assert isinstance(response, SubmitSmResp)
    receipt = read(tlvs={Tag.RECEIPTED_MESSAGE_ID: octets})
    assert receipt.smsc_message_id == response.message_id


@pytest.mark.parametrize(
    ("octets", "smsc_id"),
    [
        (b"ABC123\0\xff\xfe\0", "ABC123"),
        (b"ABC123", "ABC123"),
        (b"ABC123\0XYZ", "ABC123"),
        (b"\0\0ABC123\0", "ABC123"),
        (b"  ABC123  \0\xff", "ABC123"),
        (b"\0\0", ""),
    ],
)
def test_what_stands_behind_the_nul_of_an_id_is_no_part_of_it(octets: bytes, smsc_id: str) -> None:
    assert read(tlvs={Tag.RECEIPTED_MESSAGE_ID: octets}).smsc_message_id == smsc_id


STATE, ID, ERROR = Tag.MESSAGE_STATE, Tag.RECEIPTED_MESSAGE_ID, Tag.NETWORK_ERROR_CODE
U, D = MessageState.UNDELIVERABLE, MessageState.DELIVERED


@pytest.mark.parametrize(
    ("text", "tlvs", "state", "stat", "flags"),
    [
        ("id:1 stat:UNDELIV", {STATE: b"\x02"}, D, "UNDELIV (message_state 2)", "disagree"),
        ("id:1 stat:DELIVRD", {STATE: b"\x07"}, MessageState.UNKNOWN, "DELIVRD (message_state 7)", "disagree"),
        ("id:1 stat:DELIVERED", {STATE: b"\x02"}, D, "DELIVERED", ""),
        ("id:1 stat:QUUX", {STATE: b"\x02"}, D, "QUUX (message_state 2)", ""),
        ("id:1 stat:DELIVRD", {STATE: b"\x09"}, D, "DELIVRD", ""),
        ("id:1 stat:DELIVRD", {STATE: b""}, D, "DELIVRD", ""),
        ("id:1 stat:DELIVRD", {STATE: b"\x02\x02"}, D, "DELIVRD", ""),
        ("id:1", {STATE: b"\x09"}, None, "message_state 9", ""),
        ("id:1 stat:QUUX", {STATE: b"\x09"}, None, "QUUX", ""),
        ("id:1 stat:DELIVRD", {ID: b"2\0"}, D, "DELIVRD", "disagree"),
        ("id:0001 stat:DELIVRD", {ID: b"1\0"}, D, "DELIVRD", ""),
        ("id:1f4a stat:DELIVRD", {ID: b"1F4A\0"}, D, "DELIVRD", ""),
        ("id:255 stat:DELIVRD", {ID: b"FF"}, D, "DELIVRD", ""),
        ("id:FF stat:DELIVRD", {ID: b"255"}, D, "DELIVRD", ""),
        ("id:0123456789 stat:DELIVRD", {ID: b"0123456789-abcdef"}, D, "DELIVRD", ""),
        ("id:012345678 stat:DELIVRD", {ID: b"012345678-abcdef"}, D, "DELIVRD", "disagree"),
        ("stat:DELIVRD", {ID: b"2\0"}, D, "DELIVRD", ""),
        ("id:1 stat:UNDELIV err:000", {ERROR: b"\x03\x00\x1b"}, U, "UNDELIV", "disagree"),
        ("id:1 stat:UNDELIV err:027", {ERROR: b"\x03\x00\x00"}, U, "UNDELIV", "disagree"),
        ("id:1 stat:UNDELIV err:027", {ERROR: b"\x03\x00\x09"}, U, "UNDELIV", ""),
        ("id:1 stat:DELIVRD err:000", {ERROR: b"\x00\x00\x00"}, D, "DELIVRD", ""),
        ("id:1 stat:DELIVRD", {ERROR: b"\x00\x00\x05"}, D, "DELIVRD", ""),
        ("id:1 stat:DELIVRD stat:UNDELIV", {}, D, "DELIVRD", "disagree"),
        ("id:1 stat:DELIVRD stat:DELIVERED", {}, D, "DELIVRD", ""),
        ("id:1 id:2 stat:DELIVRD", {}, D, "DELIVRD", "disagree"),
        ("id:1 stat:DELIVRD text:id:2 stat:UNDELIV", {}, D, "DELIVRD", ""),
    ],
)  # fmt: skip
def test_what_contradicts_itself_is_marked_and_parameters_count(
    text: str, tlvs: dict[int, bytes], state: MessageState | None, stat: str, flags: str
) -> None:
    receipt = read(text, tlvs=tlvs)
    assert (receipt.state, receipt.stat, receipt.flags) == (state, stat, flags)


def test_a_parameter_that_stands_twice_and_says_two_things_is_marked() -> None:
    assert read("id:1 stat:DELIVRD", tlvs={STATE: b"\x02"}, disagrees=True).flags == "disagree"


def test_of_what_cannot_be_read_the_octets_are_kept() -> None:
    for pdu in (DeliverSm(unreadable=True, frame=b"octets"), DataSm(unreadable=True, frame=b"octets")):
        receipt = read_receipt(pdu, link="alpha", at=AT)
        assert kind_of(pdu) is DeliveryKind.UNREADABLE
        assert (receipt.raw, receipt.flags, receipt.smsc_message_id, receipt.state) == (
            b"octets",
            "unreadable",
            "",
            None,
        )
        assert receipt.counts, "it is shown among the orphans"


BOTH = {Tag.RECEIPTED_MESSAGE_ID: b"1\0", Tag.MESSAGE_STATE: b"\x02"}


@pytest.mark.parametrize(
    ("esm_class", "tlvs", "kind"),
    [
        (0, {}, DeliveryKind.REPLY),
        (EsmClass.UDHI, {}, DeliveryKind.REPLY),
        (0, {Tag.RECEIPTED_MESSAGE_ID: b"1\0"}, DeliveryKind.REPLY),
        (0, BOTH, DeliveryKind.RECEIPT),
        (EsmClass.DELIVERY_RECEIPT, {}, DeliveryKind.RECEIPT),
        (EsmClass.DELIVERY_RECEIPT | EsmClass.UDHI, {}, DeliveryKind.RECEIPT),
        (EsmClass.INTERMEDIATE_NOTIFICATION, {}, DeliveryKind.RECEIPT),
        (EsmClass.DELIVERY_ACKNOWLEDGEMENT, BOTH, DeliveryKind.ACKNOWLEDGEMENT),
        (EsmClass.USER_ACKNOWLEDGEMENT, {}, DeliveryKind.ACKNOWLEDGEMENT),
    ],
)
def test_what_a_pdu_brings(esm_class: int, tlvs: dict[int, bytes], kind: DeliveryKind) -> None:
    assert kind_of(DeliverSm(esm_class=esm_class, short_message=USUAL.encode(), tlvs=tlvs)) is kind


def test_an_acknowledgement_counts_for_nothing() -> None:
    pdu = DeliverSm(esm_class=EsmClass.USER_ACKNOWLEDGEMENT, short_message=USUAL.encode())
    assert not read_receipt(pdu, link="alpha", at=AT).counts


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        (USUAL, True),
        ("id:1 done date:2611231130 DELIVRD err:000", True),
        ("id:1 stat:QUUX", False),
        ("stat:DELIVRD", False),
        ("is it delivered? id 5", False),
        ("STOP", False),
        ("", False),
        ("my state: delivered", False),
        ("text:id:1 stat:DELIVRD", False),
    ],
)
def test_the_text_of_a_receipt_is_told_from_a_subscribers(text: str, is_one: bool) -> None:
    assert has_text_of_receipt(DeliverSm(short_message=text.encode())) is is_one


def test_a_word_of_the_operators_own_is_one_where_it_has_no_name_too() -> None:
    pdu = DeliverSm(esm_class=4, short_message=b"id:1 done date:2611231130 err:000 ANGEKOMMEN2")
    own = {"ANGEKOMMEN2": MessageState.DELIVERED}
    assert read_receipt(pdu, link="alpha", at=AT).state is None
    assert read_receipt(pdu, link="alpha", at=AT, settings=IncomingSettings(words=own)).state is MessageState.DELIVERED
    assert (has_text_of_receipt(pdu), has_text_of_receipt(pdu, own)) == (False, True)


@pytest.mark.parametrize(
    ("settings", "source", "destination", "named"),
    [
        (IncomingSettings(), "33612345678", "36111", ("33612345678", "36111")),
        (IncomingSettings(names_recipient=False), "33699000000", "33699000000", ("", "")),
        (IncomingSettings(sender="+33700900900"), "33612345678", "0700900900", ("33612345678", "")),
        (IncomingSettings(sender="0700900900"), "33700900900", "33700900900", ("", "")),
        (IncomingSettings(sender="ESITO"), "33612345678", "ESITO", ("33612345678", "ESITO")),
    ],
)
def test_an_address_that_cannot_name_the_recipient_is_left_out(
    settings: IncomingSettings, source: str, destination: str, named: tuple[str, str]
) -> None:
    pdu = DeliverSm(esm_class=4, source_addr=source, destination_addr=destination, short_message=USUAL.encode())
    assert read_receipt(pdu, link="alpha", at=AT, settings=settings).addresses == named


@pytest.mark.parametrize("text", ["stat:DELIVRD err:001", "id:7 stat:DELIVRD err:000"])
def test_two_parameters_that_are_not_the_usual_two_are_read(text: str) -> None:
    tlvs = {Tag.MESSAGE_STATE: b"\x02", Tag.NETWORK_ERROR_CODE: b"\x03\x00\x22"}
    assert read(text, tlvs=tlvs).error_code == "3:34"


def test_an_id_that_no_parameter_can_hold_contradicts_the_one_there() -> None:
    text = "id:\uff11\uff12 stat:DELIVRD".encode("utf-16-be")
    pdu = DeliverSm(
        esm_class=4, short_message=text, tlvs={Tag.MESSAGE_STATE: b"\x02", Tag.RECEIPTED_MESSAGE_ID: b"??\0"}
    )
    receipt = read_receipt(pdu, link="alpha", at=AT)
    assert (receipt.smsc_message_id, receipt.flags) == ("??", "disagree")


@pytest.mark.parametrize(
    ("country", "ton", "source", "named"),
    [
        ("FR", 2, "612345678", "+33612345678"),
        ("FR", 0, "0612345678", "+33612345678"),
        ("FR", 1, "0690123456", "+590690123456"),
        ("MA", 2, "0612345678", "+212612345678"),
        ("IT", 0, "0612345678", "+390612345678"),
        ("FR", 1, "33612345678", "33612345678"),
        ("FR", 2, "33612345678", "+33612345678"),  # says national, and is not
        ("BE", 0, "0612345678", "0612345678"),  # nobody's in Belgium
        ("", 2, "0612345678", "0612345678"),  # of whichever country a recipient is in
        ("FR", 2, "36111", "36111"),
    ],
)
def test_a_national_number_of_a_receipt_is_of_the_operators_country(
    country: str, ton: int, source: str, named: str
) -> None:
    pdu = DeliverSm(
        esm_class=4, source_addr=source, source_addr_ton=ton, destination_addr="ESITO", short_message=USUAL.encode()
    )
    read = read_receipt(pdu, link="alpha", at=AT, settings=IncomingSettings(country=country))
    assert read.addresses == (named, "ESITO")


def test_where_the_country_is_known_a_national_number_is_that_of_no_other_recipient() -> None:
    pdu = DeliverSm(esm_class=4, source_addr="0612345678", destination_addr="ESITO", short_message=USUAL.encode())
    french = read_receipt(pdu, link="alpha", at=AT, settings=IncomingSettings(country="FR"))
    unknown = read_receipt(pdu, link="alpha", at=AT)
    assert [is_addressed(french, one) for one in ("33612345678", "212612345678")] == [True, False]
    assert [is_addressed(unknown, one) for one in ("33612345678", "212612345678")] == [True, True]
