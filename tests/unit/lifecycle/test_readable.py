"""What a kept PDU shows to those whose message it may not be about."""

import pytest

from esito.lifecycle.readable import receipt_text, without_text
from esito.smpp.codec import decode, encode
from esito.smpp.pdu import DataSm, DeliverSm, Tag

FIELDS = "id:1001 stat:DELIVRD err:000 "


def octets(text: bytes) -> bytes:
    return encode(DeliverSm(source_addr="33612345678", short_message=text))


@pytest.mark.parametrize("name", ["text:", "Text:", "TEXT=", "text :"])
def test_what_stands_behind_text_is_hidden_and_all_before_it_stays(name: str) -> None:
    hidden = without_text(octets(f"{FIELDS}{name}see you at nine".encode()), whole=False)
    assert receipt_text(hidden) == f"{FIELDS}{name}{'*' * 15}"


def test_in_two_octets_to_a_sign_too() -> None:
    hidden = without_text(octets(f"{FIELDS}text:nine".encode("utf-16-be")), whole=False)
    assert b"n\0i\0n" not in hidden
    assert f"{FIELDS}text:".encode("utf-16-be") in hidden


def test_in_a_message_payload_too() -> None:
    raw = encode(DataSm(source_addr="33612345678", tlvs={Tag.MESSAGE_PAYLOAD: f"{FIELDS}text:nine".encode()}))
    hidden = without_text(raw, whole=False)
    assert receipt_text(hidden) == f"{FIELDS}text:****"
    assert len(hidden) == len(raw)


def test_a_text_without_fields_is_hidden_whole_and_the_pdu_around_it_stays() -> None:
    raw = octets(b"see you at 9")
    hidden = without_text(raw, whole=True)
    assert decode(hidden).sequence == decode(raw).sequence
    assert receipt_text(hidden) == "*" * 12


def test_a_receipt_that_repeats_nothing_is_shown_as_it_came() -> None:
    raw = octets(FIELDS.encode())
    assert without_text(raw, whole=False) == raw


def test_of_octets_that_are_no_pdu_the_words_are_hidden() -> None:
    assert without_text(b"\x00\x01see you\x00at 9", whole=True) == b"\x00\x01*** ***\x00** 9"
    assert without_text(b"\x00\x01id:1 text:nine", whole=False) == b"\x00\x01id:1 text:****"
