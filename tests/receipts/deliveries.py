"""The PDU of a receipt as a case describes it: deliver_sm or data_sm, whole or damaged."""

import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from esito.domain import gsm0338
from esito.smpp import pdu as p
from esito.smpp.codec import encode
from tests.receipts.case import Event, Filler, integer

SENDER = "ESITO"

TAGS = {
    "receipted_message_id": p.Tag.RECEIPTED_MESSAGE_ID,
    "receipted_message_id_raw": p.Tag.RECEIPTED_MESSAGE_ID,
    "message_state": p.Tag.MESSAGE_STATE,
    "network_error_code": p.Tag.NETWORK_ERROR_CODE,
    "message_payload": p.Tag.MESSAGE_PAYLOAD,
}


ENCODINGS: Mapping[str, Callable[[str], bytes]] = {
    "gsm": gsm0338.encode,
    "gsm-packed": lambda text: gsm_packed(gsm0338.encode(text)),
    "ucs2": lambda text: text.encode("utf-16-be"),
    "hex": bytes.fromhex,
}
"""What Python has no codec of that name for."""

_TLV = struct.Struct(">HH")


@dataclass(slots=True, kw_only=True)
class Delivered:
    """A receipt as it was sent, and what was answered."""

    octets: bytes
    kind: type[p.Pdu]
    said: Event
    """The words of the case."""
    answers: list[p.Pdu] = field(default_factory=list)
    """What was answered, each time it was sent; nothing where no answer came."""

    @property
    def answer(self) -> p.Pdu | None:
        """The last answer."""
        return self.answers[-1] if self.answers else None

    @property
    def is_acknowledged(self) -> bool:
        """Whether it is done with."""
        return any(not answer.status for answer in self.answers)


def gsm_packed(septets: bytes) -> bytes:
    """Return septets packed into octets, the first in the lowest bits (3GPP TS 23.038, 6.1.2.1)."""
    bits = sum(septet << 7 * place for place, septet in enumerate(septets))
    return bits.to_bytes((7 * len(septets) + 7) // 8, "little")


def build(receipt: Event, filler: Filler, number: int, sequence: int, source: str) -> Delivered:
    """Return the deliver_sm or data_sm of a receipt; `source`: its source_addr when the case names none."""
    text = str(filler.text(receipt.get("text", ""), number))
    coding = integer(filler.text(receipt.get("data_coding", 0), number))
    octets = bytes.fromhex(receipt.get("prefix_hex", "")) + _octets(text, receipt, filler, coding)
    fields: dict[str, Any] = {
        "sequence": sequence,
        "source_addr": str(filler.text(receipt.get("source_addr", source), number)),
        "destination_addr": str(filler.text(receipt.get("destination_addr", SENDER), number)),
        "esm_class": integer(filler.text(receipt.get("esm_class", p.EsmClass.DELIVERY_RECEIPT), number)),
        "data_coding": coding,
    }
    tlvs = list(_tlvs(receipt, filler, number))
    if receipt.get("pdu") == "data_sm":
        pdu: p.Pdu = p.DataSm(**fields)
    elif len(octets) > 254:
        tlvs.append((p.Tag.MESSAGE_PAYLOAD, octets))
        octets = b""
        pdu = p.DeliverSm(**fields)
    else:
        pdu = p.DeliverSm(**fields, short_message=octets)
    # By hand and not by the codec: a tag may come twice, and the order is the case's.
    behind = b"".join(_TLV.pack(tag, len(value)) + value for tag, value in tlvs)
    frame = _with_length(_wronged(encode(pdu), receipt, filler, len(octets)) + behind)
    return Delivered(octets=_bent(frame, receipt), kind=type(pdu), said=receipt)


def _octets(text: str, receipt: Event, filler: Filler, coding: int) -> bytes:
    """Return the text as the case has it written."""
    encoding = filler.text(receipt.get("encoding", ""), 0)
    if own := ENCODINGS.get(encoding):
        return own(text)
    if encoding:
        return text.encode(encoding)
    return text.encode("utf-16-be") if coding == 8 and receipt.get("payload") != "ascii" else text.encode("latin-1")


def pieces(octets: bytes, receipt: Event) -> list[bytes]:
    """Return what is written at once, one after the other: `chunk` and `cut_at` of the case."""
    if "chunk" in receipt:
        size = integer(receipt["chunk"])
        return [octets[start : start + size] for start in range(0, len(octets), size)]
    said = receipt.get("cut_at", [])
    if said == "every":
        return [octets[place : place + 1] for place in range(len(octets))]
    places = [integer(one) for one in (said if isinstance(said, list) else [said])]
    cuts = sorted({place % len(octets) if place < 0 else place for place in places if abs(place) < len(octets)} - {0})
    return [octets[begin:end] for begin, end in pairwise([0, *cuts, len(octets)])]


def _wronged(frame: bytes, receipt: Event, filler: Filler, length: int) -> bytes:
    """Say a wrong sm_length if the case asks."""
    if "sm_length_delta" not in receipt:
        return frame
    delta = integer(filler.text(receipt["sm_length_delta"], 0))
    place = len(frame) - length - 1
    return frame[:place] + bytes([frame[place] + delta]) + frame[place + 1 :]


def _bent(frame: bytes, receipt: Event) -> bytes:
    """Damage a PDU as the case asks."""
    return _with_length(frame + bytes.fromhex(receipt["raw_tail"])) if "raw_tail" in receipt else frame


def _with_length(frame: bytes) -> bytes:
    return struct.pack(">I", len(frame)) + frame[4:]


def _tlvs(receipt: Event, filler: Filler, number: int) -> Iterator[tuple[int, bytes]]:
    """Yield the optional parameters in their order."""
    for name, said in receipt.get("tlvs", {}).items():
        yield _tag(name), _value(name, filler.text(said, number))
    for tag, said in receipt.get("tlv_hex", {}).items():
        yield _tag(tag), bytes.fromhex(filler.text(said, number))
    for one in receipt.get("tlv_list", []):
        name, said, raw = _listed(one)
        filled = filler.text(said, number)
        yield _tag(name), bytes.fromhex(str(filled)) if raw else _value(name, filled)


def _listed(one: Any) -> tuple[str, Any, bool]:
    """Return name, value, and whether the value is octets in hexadecimal."""
    if isinstance(one, list):
        return str(one[0]), one[1], len(one) > 2 and one[2] == "hex"
    if "tag" in one or "name" in one:
        name = str(one.get("tag", one.get("name")))
        return (name, one["hex"], True) if "hex" in one else (name, one.get("value", ""), False)
    ((name, said),) = one.items()
    return name, said, False


def _tag(name: str) -> int:
    return int(TAGS.get(name) or int(name, 16))


def _value(name: str, said: Any) -> bytes:
    if isinstance(said, Mapping):  # {"hex": "..."} says the octets themselves
        return bytes.fromhex(said["hex"])
    if name == "message_state":
        return bytes([integer(said)])
    if name == "network_error_code":
        return bytes.fromhex(said)
    if name == "receipted_message_id":
        return str(said).rstrip("\0").encode("latin-1") + b"\0"
    return bytes([said]) if isinstance(said, int) else str(said).encode("latin-1")
