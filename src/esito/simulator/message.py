"""One message (one segment, that is) in the operator's hands, and the deliver_sm that come of it."""

import msgspec

from esito.domain.states import FIRST_FINAL, MessageState
from esito.simulator.behaviour import Said
from esito.simulator.fates import Fate
from esito.smpp.pdu import DataSm, EsmClass, SubmitSm, Tag

TEXT_LENGTH = 20
"""How much of the text a receipt repeats (SMPP 3.4, appendix B)."""

UCS2 = 0x08


class Address(msgspec.Struct, frozen=True, gc=False):
    """An address with its type of number and numbering plan."""

    ton: int
    npi: int
    digits: str


class Message(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What the operator remembers of a submit_sm it has taken."""

    response_id: str
    receipt_id: str
    """The id as the submit_sm_resp has it, and as receipts have it."""
    sender: Address
    recipient: Address
    fate: Fate
    plan: tuple[Said, ...]
    untold: tuple[Said, ...] = ()
    """What happens to it without a receipt."""
    registered_delivery: int
    submitted_at: int
    session: int
    """The number of the session that submitted it."""
    opening: bytes
    """The first characters of its text."""
    segment: int = 1

    def state_at(self, now: int) -> tuple[Said | None, MessageState]:
        """Return what was said last, or would have been, and the state that makes; ENROUTE when nothing was."""
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


class Delivery(msgspec.Struct, kw_only=True, gc=False):
    """One deliver_sm to be sent: a receipt, or a reply when nothing is said of the message."""

    message: Message
    said: Said | None
    attempts: int = 0


def text_of(pdu: SubmitSm | DataSm) -> bytes:
    """Return the octets of the text, its user data header taken off."""
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
