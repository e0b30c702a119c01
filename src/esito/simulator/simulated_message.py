"""One message (a segment, that is) as the operator has it, and the deliver_sm of its receipts and its reply."""

from datetime import tzinfo

import msgspec

from esito.domain.states import FIRST_FINAL, STATE_VALUES, MessageState
from esito.simulator.behaviour import Said
from esito.simulator.dates import to_the_minute
from esito.simulator.fates import STATS, Fate
from esito.smpp.pdu import DataSm, DeliverSm, EsmClass, SubmitSm, Tag

TEXT_LENGTH = 20
"""How much of the text a receipt repeats (SMPP 3.4, appendix B)."""

UCS2 = 0x08


class SmppAddress(msgspec.Struct, frozen=True, gc=False):
    """An address with its type of number and numbering plan."""

    ton: int
    npi: int
    digits: str


class Message(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A submit_sm that the operator has accepted."""

    response_id: str
    receipt_id: str
    """The id in the submit_sm_resp, and the one in receipts."""
    sender: SmppAddress
    recipient: SmppAddress
    fate: Fate
    plan: tuple[Said, ...]
    untold: tuple[Said, ...] = ()
    """What becomes of it without a receipt."""
    registered_delivery: int
    submitted_at: int
    session: int
    """The session that submitted it."""
    opening: bytes
    """The first characters of its text."""
    segment: int = 1

    def state_at(self, now: int) -> tuple[Said | None, MessageState]:
        """Return the last word by this instant, sent or not, and its state; ENROUTE if there is none yet."""
        said = [word for word in self.plan or self.untold if self.submitted_at + word.after_ms <= now]
        return (said[-1], said[-1].state) if said else (None, MessageState.ENROUTE)

    def wants(self, state: MessageState) -> bool:
        """Tell whether registered_delivery asks for a receipt of this state (5.2.17)."""
        match self.registered_delivery & 0x03:
            case 0x01:
                return True
            case 0x02:
                return FIRST_FINAL <= state < MessageState.DELIVERED
            case _:  # 0x03 is reserved
                return False


class PendingDelivery(msgspec.Struct, kw_only=True, gc=False):
    """One deliver_sm to be sent: a receipt, or a reply if `said` is None."""

    message: Message
    said: Said | None
    attempts: int = 0


def text_of(pdu: SubmitSm | DataSm) -> bytes:
    """Return the octets of the text without its user data header."""
    octets = getattr(pdu, "short_message", b"") or pdu.tlvs.get(Tag.MESSAGE_PAYLOAD, b"")
    if pdu.esm_class & EsmClass.UDHI and octets:
        return octets[octets[0] + 1 :]
    return octets


def opening_of(pdu: SubmitSm | DataSm) -> bytes:
    """Return the first twenty characters as receipts repeat them: one octet each."""
    octets = text_of(pdu)
    if pdu.data_coding == UCS2:
        return octets[: 2 * TEXT_LENGTH].decode("utf-16-be", "replace").encode("ascii", "replace")
    return octets[:TEXT_LENGTH]


def segment_of(pdu: SubmitSm | DataSm) -> int:
    """Return which segment of its message this is, counted from 1."""
    if number := pdu.tlvs.get(Tag.SAR_SEGMENT_SEQNUM):
        return number[0]
    octets = getattr(pdu, "short_message", b"") or pdu.tlvs.get(Tag.MESSAGE_PAYLOAD, b"")
    if pdu.esm_class & EsmClass.UDHI and octets:
        return _segment_in(octets[1 : octets[0] + 1])
    return 1


def _segment_in(header: bytes) -> int:
    """Read a user data header: information elements, the concatenation of 8 or 16 bits among them."""
    while len(header) >= 2:
        element, length = header[0], header[1]
        if element in {0x00, 0x08} and length in {3, 4} and len(header) >= 2 + length:
            return header[1 + length]
        header = header[2 + length :]
    return 1


# -- the deliver_sm of a receipt (SMPP 3.4, appendix B) and of a subscriber's reply -----------------

STATE_OCTETS = {state: bytes([value]) for value, state in STATE_VALUES.items()}

BROKEN_TEXT = b"id:\xff\xfe sub:0?1 stat:\x00\x00DEL err"
"""The text of fate 0013, which is of no use."""


def receipt(message: Message, said: Said, *, sequence: int, zone: tzinfo) -> DeliverSm:
    """Return the deliver_sm of one receipt."""
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
    """Return the deliver_sm of the subscriber's reply."""
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
