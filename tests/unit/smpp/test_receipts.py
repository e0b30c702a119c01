"""Delivery receipts in the forms operators write them."""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from esito.domain.receipt import DeliveryReceipt
from esito.domain.states import MessageState
from esito.smpp.pdu import DataSm, DeliverSm, EsmClass, Tag
from esito.smpp.receipts import Kind, kind_of, read_receipt

AT = int(datetime(2026, 11, 23, 12, 0, tzinfo=UTC).timestamp() * 1000)

USUAL = "id:0A1F sub:001 dlvrd:001 submit date:2611231100 done date:2611231130 stat:DELIVRD err:000 text:ciao"


def read(text: str = "", *, zone: Any = UTC, **fields: Any) -> DeliveryReceipt:
    octets = text.encode("latin-1")
    return read_receipt(DeliverSm(esm_class=4, short_message=octets, **fields), link="alpha", at=AT, zone=zone)


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


def test_an_endless_id_is_cut_and_flagged() -> None:
    receipt = read(f"id:{'9' * 400} stat:DELIVRD")
    assert len(receipt.smsc_message_id) < 400
    assert receipt.flags == "long_id"


BOTH = {Tag.RECEIPTED_MESSAGE_ID: b"1\0", Tag.MESSAGE_STATE: b"\x02"}


@pytest.mark.parametrize(
    ("esm_class", "tlvs", "kind"),
    [
        (0, {}, Kind.REPLY),
        (EsmClass.UDHI, {}, Kind.REPLY),
        (0, {Tag.RECEIPTED_MESSAGE_ID: b"1\0"}, Kind.REPLY),
        (0, BOTH, Kind.RECEIPT),
        (EsmClass.DELIVERY_RECEIPT, {}, Kind.RECEIPT),
        (EsmClass.DELIVERY_RECEIPT | EsmClass.UDHI, {}, Kind.RECEIPT),
        (EsmClass.INTERMEDIATE_NOTIFICATION, {}, Kind.RECEIPT),
        (EsmClass.DELIVERY_ACKNOWLEDGEMENT, BOTH, Kind.ACKNOWLEDGEMENT),
        (EsmClass.USER_ACKNOWLEDGEMENT, {}, Kind.ACKNOWLEDGEMENT),
    ],
)
def test_what_a_pdu_brings(esm_class: int, tlvs: dict[int, bytes], kind: Kind) -> None:
    assert kind_of(DeliverSm(esm_class=esm_class, short_message=USUAL.encode(), tlvs=tlvs)) is kind


def test_an_acknowledgement_counts_for_nothing() -> None:
    pdu = DeliverSm(esm_class=EsmClass.USER_ACKNOWLEDGEMENT, short_message=USUAL.encode())
    assert not read_receipt(pdu, link="alpha", at=AT).counts
