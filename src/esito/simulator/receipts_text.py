"""Writes the deliver_sm of a receipt (SMPP 3.4, appendix B) and of a subscriber's reply."""

from datetime import tzinfo

from esito.domain.states import STATE_VALUES, MessageState
from esito.simulator.behaviour import Said
from esito.simulator.dates import to_the_minute
from esito.simulator.fates import STATS
from esito.simulator.message import Message
from esito.smpp.pdu import DeliverSm, EsmClass, Tag

STATE_OCTETS = {state: bytes([value]) for value, state in STATE_VALUES.items()}

BROKEN_TEXT = b"id:\xff\xfe sub:0?1 stat:\x00\x00DEL err"
"""What fate 0013 writes: nothing in it can be believed."""


def receipt(message: Message, said: Said, *, sequence: int, zone: tzinfo) -> DeliverSm:
    """Return the receipt that says this of the message."""
    return DeliverSm(
        sequence=sequence,
        source_addr_ton=message.recipient.ton,
        source_addr_npi=message.recipient.npi,
        source_addr=message.recipient.digits,
        dest_addr_ton=message.sender.ton,
        dest_addr_npi=message.sender.npi,
        destination_addr=message.sender.digits,
        esm_class=EsmClass.DELIVERY_RECEIPT,
        short_message=BROKEN_TEXT if message.fate.broken_text else receipt_text(message, said, zone),
        tlvs={
            Tag.RECEIPTED_MESSAGE_ID: message.receipt_id.encode() + b"\0",
            Tag.MESSAGE_STATE: STATE_OCTETS[said.state],
        },
    )


def receipt_text(message: Message, said: Said, zone: tzinfo) -> bytes:
    """Return the text of appendix B."""
    submitted = to_the_minute(message.submitted_at, zone)
    done = to_the_minute(message.submitted_at + said.after_ms, zone)
    delivered = "001" if said.state is MessageState.DELIVERED else "000"
    head = (
        f"id:{message.receipt_id} sub:001 dlvrd:{delivered} submit date:{submitted} done date:{done} "
        f"stat:{STATS[said.state]} err:{said.error} text:"
    )
    return head.encode() + message.opening


def reply(message: Message, *, sequence: int) -> DeliverSm:
    """Return what the subscriber answers to the sender."""
    return DeliverSm(
        sequence=sequence,
        source_addr_ton=message.recipient.ton,
        source_addr_npi=message.recipient.npi,
        source_addr=message.recipient.digits,
        dest_addr_ton=message.sender.ton,
        dest_addr_npi=message.sender.npi,
        destination_addr=message.sender.digits,
        short_message=message.fate.reply.encode("ascii", "replace"),
    )
