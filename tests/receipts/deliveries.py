"""The PDU of a receipt as a case describes it: deliver_sm or data_sm, whole or damaged."""

import struct
from dataclasses import dataclass
from typing import Any

from esito.smpp import pdu as p
from esito.smpp.codec import encode
from tests.receipts.case import Event, Filler

SENDER = "ESITO"

TAGS = {
    "receipted_message_id": p.Tag.RECEIPTED_MESSAGE_ID,
    "receipted_message_id_raw": p.Tag.RECEIPTED_MESSAGE_ID,
    "message_state": p.Tag.MESSAGE_STATE,
    "network_error_code": p.Tag.NETWORK_ERROR_CODE,
    "message_payload": p.Tag.MESSAGE_PAYLOAD,
}


@dataclass(slots=True, kw_only=True)
class Delivered:
    """A receipt as it was sent, and what was answered."""

    octets: bytes
    kind: type[p.Pdu]
    answer: p.Pdu | None = None


def build(receipt: Event, filler: Filler, number: int, sequence: int, source: str) -> Delivered:
    """Return the deliver_sm or data_sm of a receipt; `source`: its source_addr when the case names none."""
    text = filler.text(receipt.get("text", ""), number)
    coding = int(filler.text(str(receipt.get("data_coding", 0)), number))
    octets = text.encode("utf-16-be") if coding == 8 and receipt.get("payload") != "ascii" else text.encode("latin-1")
    octets = bytes.fromhex(receipt.get("prefix_hex", "")) + octets
    source_addr = filler.text(receipt.get("source_addr", source), number)
    destination = filler.text(receipt.get("destination_addr", SENDER), number)
    fields: dict[str, Any] = {
        "sequence": sequence,
        "source_addr": source_addr,
        "destination_addr": destination,
        "esm_class": receipt.get("esm_class", p.EsmClass.DELIVERY_RECEIPT),
        "data_coding": coding,
        "tlvs": _tlvs(receipt, filler, number),
    }
    if receipt.get("pdu") == "data_sm":
        pdu: p.Pdu = p.DataSm(**fields)
    elif len(octets) > 254:
        fields["tlvs"][p.Tag.MESSAGE_PAYLOAD] = octets
        pdu = p.DeliverSm(**fields)
    else:
        pdu = p.DeliverSm(**fields, short_message=octets)
    return Delivered(octets=_bent(encode(pdu), receipt, filler, len(octets)), kind=type(pdu))


def _bent(frame: bytes, receipt: Event, filler: Filler, length: int) -> bytes:
    """Damage a PDU as the case asks."""
    if "sm_length_delta" in receipt:
        delta = int(filler.text(receipt["sm_length_delta"], 0))
        place = len(frame) - length - 1
        frame = frame[:place] + bytes([frame[place] + delta]) + frame[place + 1 :]
    if "raw_tail" in receipt:
        frame += bytes.fromhex(receipt["raw_tail"])
        frame = struct.pack(">I", len(frame)) + frame[4:]
    return frame


def _tlvs(receipt: Event, filler: Filler, number: int) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    for name, said in receipt.get("tlvs", {}).items():
        filled = filler.text(said, number)
        tag = int(TAGS.get(name) or int(name, 16))
        if name == "message_state":
            found[tag] = bytes([int(filled)])
        elif name == "network_error_code":
            found[tag] = bytes.fromhex(filled)
        elif name == "receipted_message_id":
            found[tag] = filled.rstrip("\0").encode("latin-1") + b"\0"
        else:
            found[tag] = filled.encode("latin-1")
    return found
