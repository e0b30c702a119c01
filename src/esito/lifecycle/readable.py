"""What people see of a stored receipt: its text, or its octets without what a subscriber or customer wrote."""

import re

from esito.smpp.codec import ProtocolError, decode
from esito.smpp.pdu import DataSm, DeliverSm, Tag
from esito.smpp.receipts import text_of


def receipt_text(raw: bytes) -> str:
    """Return the text of a deliver_sm or data_sm; empty if it has none or cannot be read."""
    try:
        pdu = decode(raw)
    except ProtocolError:
        return ""
    return text_of(pdu) if isinstance(pdu, DeliverSm | DataSm) else ""


_TEXT = re.compile(rb"t\0?e\0?x\0?t\0?[\s\0]{0,4}[:=]", re.IGNORECASE)
"""After it a receipt repeats the beginning of the message, in one or two octets per character."""

_WORDS = re.compile(rb"[A-Za-z\x80-\xff]+")


def without_text(raw: bytes, *, whole: bool) -> bytes:
    """Return a stored PDU with every octet of what somebody wrote replaced by a star.

    `whole`: no field was found in its text, so all of it may be somebody's own.
    """
    try:
        pdu = decode(raw)
    except ProtocolError:
        return _WORDS.sub(_stars, raw) if whole else _behind_text(raw)
    if not isinstance(pdu, DeliverSm | DataSm):
        return raw
    for text in (pdu.short_message if isinstance(pdu, DeliverSm) else b"", pdu.tlvs.get(Tag.MESSAGE_PAYLOAD, b"")):
        if text:
            raw = raw.replace(text, b"*" * len(text) if whole else _behind_text(text))
    return raw


def _behind_text(octets: bytes) -> bytes:
    found = _TEXT.search(octets)
    return octets if found is None else octets[: found.end()] + b"*" * (len(octets) - found.end())


def _stars(found: re.Match[bytes]) -> bytes:
    return b"*" * len(found[0])
