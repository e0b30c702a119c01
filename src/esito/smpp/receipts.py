"""Reads delivery receipts, in whatever form operators write them.

The parameters receipted_message_id and message_state win over the text; together
they make a receipt whatever esm_class says. A text alone is a receipt only when
esm_class says so. What cannot be read is kept all the same: nothing here raises.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, tzinfo
from enum import Enum
from functools import lru_cache

from esito.domain.message_ids import MAX_LENGTH
from esito.domain.receipt import SKEW_MS, DeliveryReceipt
from esito.domain.states import STAT_WORDS, STATE_VALUES, MessageState
from esito.smpp.pdu import DataSm, DeliverSm, EsmClass, Tag

_USUAL = re.compile(
    r"id:([^\s\x00]+) sub:\d+ dlvrd:\d+ submit date:(\d+) done date:(\d+) stat:(\w+) err:(\w+)(?: text:.*)?",
    re.ASCII | re.DOTALL | re.IGNORECASE,
)
"""Appendix B to the letter, as most receipts are; read in one go. Anything else is searched for its fields."""

_NAMES = r"(?:id|sub|dlvrd|submit[ _]date|done[ _]date|stat|err|text)"
# A name that follows at once means that the value is missing.
_FIELD = re.compile(rf"\b(id|submit[ _]date|done[ _]date|stat|err)\s*:\s*+(?!{_NAMES}\s*:)([^\s\x00]*)", re.IGNORECASE)
_TEXT = re.compile(r"\btext\s*:", re.IGNORECASE)
_TYPE_BITS = 0x3C
_BLANK = " \t\r\n\x00"


_ACKNOWLEDGEMENTS = frozenset({EsmClass.DELIVERY_ACKNOWLEDGEMENT, EsmClass.USER_ACKNOWLEDGEMENT})
_RECEIPTS = EsmClass.DELIVERY_RECEIPT | EsmClass.INTERMEDIATE_NOTIFICATION


class Kind(Enum):
    """What a deliver_sm or data_sm brings."""

    RECEIPT = "receipt"
    ACKNOWLEDGEMENT = "acknowledgement"
    """By handset or user (esm_class 0x08, 0x10): recorded, moves nobody."""
    REPLY = "reply"
    """Written by a subscriber."""


def kind_of(pdu: DeliverSm | DataSm) -> Kind:
    """Tell what the PDU brings (SMPP 3.4, 5.2.12; design 5)."""
    bits = pdu.esm_class & _TYPE_BITS
    if bits in _ACKNOWLEDGEMENTS:
        return Kind.ACKNOWLEDGEMENT
    if bits & _RECEIPTS:
        return Kind.RECEIPT
    if Tag.RECEIPTED_MESSAGE_ID in pdu.tlvs and Tag.MESSAGE_STATE in pdu.tlvs:
        return Kind.RECEIPT
    return Kind.REPLY


def read_receipt(
    pdu: DeliverSm | DataSm,
    *,
    link: str,
    at: int,
    zone: tzinfo = UTC,
    words: Mapping[str, MessageState] = STAT_WORDS,
) -> DeliveryReceipt:
    """Return what the PDU says, and the PDU itself as it came.

    `at` is when it arrived, in milliseconds; `zone` is the one the operator's dates are in,
    `words` are the states behind what it writes after `stat:`, in upper case.
    """
    smsc_id, submitted, done, word, err = _fields(text_of(pdu))
    tlvs = pdu.tlvs
    smsc_id = _tlv_text(tlvs.get(Tag.RECEIPTED_MESSAGE_ID)) or smsc_id
    state = words.get(word.upper())
    reported = tlvs.get(Tag.MESSAGE_STATE, b"")
    if len(reported) == 1 and reported[0] in STATE_VALUES:
        state = STATE_VALUES[reported[0]]
        word = word or f"message_state {reported[0]}"
    flags: list[str] = ["bad_tlv"] if pdu.damaged else []
    if len(smsc_id) > MAX_LENGTH:
        flags.append("long_id")
        smsc_id = smsc_id[:MAX_LENGTH]
    if not smsc_id:
        flags.append("no_id" if word else "unparsed")
    done_at = _done_at(done, at, zone, flags)
    return DeliveryReceipt(
        link=link,
        smsc_message_id=smsc_id,
        state=state,
        stat=word[:64],
        error_code=_error(tlvs.get(Tag.NETWORK_ERROR_CODE), err),
        addresses=(pdu.source_addr, pdu.destination_addr),
        submitted_at=_instant(submitted, zone) if submitted else None,
        done_at=done_at,
        received_at=at,
        flags=" ".join(flags),
        counts=kind_of(pdu) is not Kind.ACKNOWLEDGEMENT,
        raw=pdu.frame,
    )


def _fields(text: str) -> tuple[str, str, str, str, str]:
    """Return id, submit date, done date, stat and err as they are written; empty where they are missing."""
    usual = _USUAL.fullmatch(text)
    if usual is not None:
        return usual[1], usual[2], usual[3], usual[4], usual[5]
    # What follows "text:" is the subscriber's own message and may imitate a field.
    head = _TEXT.split(text, maxsplit=1)[0]
    found = {name.lower().replace("_", " "): said for name, said in reversed(_FIELD.findall(head))}
    return (
        found.get("id", ""),
        found.get("submit date", ""),
        found.get("done date", ""),
        found.get("stat", ""),
        found.get("err", ""),
    )


def text_of(pdu: DeliverSm | DataSm) -> str:
    """Return the text of a receipt, whatever data_coding claims; never raises.

    Receipts are ASCII at heart. Operators that write them in UCS-2 betray themselves
    by a NUL in every other octet; some set data_coding 8 and write ASCII all the same.
    """
    octets = pdu.short_message if isinstance(pdu, DeliverSm) else b""
    octets = octets or pdu.tlvs.get(Tag.MESSAGE_PAYLOAD, b"")
    if pdu.esm_class & EsmClass.UDHI and octets and octets[0] < len(octets):
        octets = octets[octets[0] + 1 :]
    if len(octets) >= 4 and octets[0] == 0 and octets[2] == 0:
        return octets.decode("utf-16-be", "replace")
    return octets.decode("latin-1")


def _tlv_text(octets: bytes | None) -> str:
    return octets.decode("latin-1").strip(_BLANK) if octets else ""


def _error(network: bytes | None, err: str) -> str:
    """Return `type:code` of network_error_code (SMPP 3.4, 5.3.2.31) when it is there, else `err:` as it came."""
    if network is not None and len(network) == 3:
        return f"{network[0]}:{int.from_bytes(network[1:], 'big')}"
    return err.strip(_BLANK)[:32]


def _done_at(written: str, at: int, zone: tzinfo, flags: list[str]) -> int | None:
    """Return the done date in milliseconds UTC; None, and a flag, when it cannot be the truth."""
    if not written:
        return None
    done_at = _instant(written, zone)
    if done_at is None:
        flags.append("bad_date")
        return None
    if done_at > at + SKEW_MS:
        flags.append("skewed_date")
        return None
    return done_at


@lru_cache(maxsize=4096)
def _instant(written: str, zone: tzinfo) -> int | None:
    """Return milliseconds UTC; receipts of one minute share the work."""
    moment = _read_date(written)
    return None if moment is None else int(moment.replace(tzinfo=zone).timestamp() * 1000)


def _read_date(written: str) -> datetime | None:
    """Read YYMMDDhhmm, with seconds, or with a four-digit year; None when it is no date."""
    if not (written.isascii() and written.isdecimal()):
        return None
    if len(written) in {12, 14} and written.startswith("20") and (full := _date(written[:14], 4)):
        return full
    return _date(written, 2) if len(written) in {10, 12} else None


def _date(written: str, year: int) -> datetime | None:
    month, day, hour, minute, *rest = (int(written[place : place + 2]) for place in range(year, len(written), 2))
    century = 2000 if year == 2 else 0
    try:
        return datetime(int(written[:year]) + century, month, day, hour, minute, rest[0] if rest else 0)  # noqa: DTZ001  caller's zone
    except ValueError:
        return None
