"""Makes a kept receipt readable again: the trail has its octets, people want its text."""

from esito.smpp.codec import ProtocolError, decode
from esito.smpp.pdu import DataSm, DeliverSm
from esito.smpp.receipts import text_of


def receipt_text(raw: bytes) -> str:
    """Return the text that a deliver_sm or data_sm carries; empty when it has none or cannot be read."""
    try:
        pdu = decode(raw)
    except ProtocolError:
        return ""
    return text_of(pdu) if isinstance(pdu, DeliverSm | DataSm) else ""
