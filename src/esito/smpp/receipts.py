"""Reads delivery receipts, in whatever form operators write them.

The parameters receipted_message_id, message_state and network_error_code win over the
text; where they contradict it, the receipt says so. A text alone is a receipt only when
esm_class says so. What cannot be read is kept all the same: nothing here raises.
"""

from collections.abc import Container
from enum import Enum

from esito.domain.message_ids import MAX_LENGTH
from esito.domain.receipt import DeliveryReceipt, stat_of
from esito.domain.states import STAT_WORDS, STATE_VALUES, MessageState
from esito.smpp.ids import LONGEST, id_in
from esito.smpp.incoming import USUAL, IncomingSettings
from esito.smpp.pdu import DataSm, DeliverSm, EsmClass, Tag
from esito.smpp.receipt_dates import read_dates
from esito.smpp.receipt_text import errors_disagree, ids_disagree, read_fields, reads_as_receipt

_TYPE_BITS = 0x3C

_ACKNOWLEDGEMENTS = frozenset({EsmClass.DELIVERY_ACKNOWLEDGEMENT, EsmClass.USER_ACKNOWLEDGEMENT})
_RECEIPTS = EsmClass.DELIVERY_RECEIPT | EsmClass.INTERMEDIATE_NOTIFICATION


class Kind(Enum):
    """What a deliver_sm or data_sm brings."""

    RECEIPT = "receipt"
    ACKNOWLEDGEMENT = "acknowledgement"
    """By handset or user (esm_class 0x08, 0x10): recorded, moves nobody."""
    REPLY = "reply"
    """Written by a subscriber."""
    UNREADABLE = "unreadable"
    """Its fields cannot be told apart: recorded, moves nobody."""


def kind_of(pdu: DeliverSm | DataSm) -> Kind:
    """Tell what the PDU brings (SMPP 3.4, 5.2.12; design 5)."""
    if pdu.unreadable:
        return Kind.UNREADABLE
    bits = pdu.esm_class & _TYPE_BITS
    if bits in _ACKNOWLEDGEMENTS:
        return Kind.ACKNOWLEDGEMENT
    if bits & _RECEIPTS:
        return Kind.RECEIPT
    if Tag.RECEIPTED_MESSAGE_ID in pdu.tlvs and Tag.MESSAGE_STATE in pdu.tlvs:
        return Kind.RECEIPT
    return Kind.REPLY


def has_text_of_receipt(pdu: DeliverSm | DataSm, words: Container[str] = STAT_WORDS) -> bool:
    """Tell whether the text is that of a receipt, whatever esm_class says; `words` are those for states."""
    return reads_as_receipt(text_of(pdu), words)


def receipted_id(pdu: DeliverSm | DataSm) -> str:
    """Return the id in the parameter receipted_message_id; empty where there is none."""
    return id_in(pdu.tlvs.get(Tag.RECEIPTED_MESSAGE_ID, b""))


def read_receipt(pdu: DeliverSm | DataSm, *, link: str, at: int, settings: IncomingSettings = USUAL) -> DeliveryReceipt:
    """Return what the PDU says, and the PDU itself as it came; `at` is when it arrived, in milliseconds.

    A PDU that cannot be read is kept as a receipt that says nothing.
    """
    if pdu.unreadable:
        return DeliveryReceipt(
            link=link, smsc_message_id="", state=None, received_at=at, flags="unreadable", raw=pdu.frame
        )
    smsc_id, submitted, done, stat, err, disagree = read_fields(text_of(pdu), settings.words)
    smsc_id, stat, error = smsc_id[:LONGEST], stat[:64], err[:32]
    state = settings.words.get(stat.upper())
    if pdu.tlvs and not (len(pdu.tlvs) == 2 and _says_the_same(pdu, smsc_id, state)):
        smsc_id, state, stat, error, contradicts = _with_parameters(pdu, smsc_id, state, stat, error)
        disagree = disagree or contradicts
    submitted_at, done_at, date_flag = read_dates(submitted, done, at=at, zone=settings.zone)
    flags = date_flag
    if disagree or pdu.damaged or not 0 < len(smsc_id) < MAX_LENGTH:
        flags = _flags(pdu, smsc_id, stat, date_flag, disagree=disagree)
    return DeliveryReceipt(
        link=link,
        smsc_message_id=smsc_id,
        state=state,
        stat=stat,
        error_code=error,
        addresses=settings.addresses(pdu),
        submitted_at=submitted_at,
        done_at=done_at,
        received_at=at,
        flags=flags,
        counts=pdu.esm_class & _TYPE_BITS not in _ACKNOWLEDGEMENTS,
        raw=pdu.frame,
    )


def _says_the_same(pdu: DeliverSm | DataSm, smsc_id: str, state: MessageState | None) -> bool:
    """Tell whether two parameters say what the text says: the usual receipt."""
    told, reported = pdu.tlvs.get(Tag.RECEIPTED_MESSAGE_ID), pdu.tlvs.get(Tag.MESSAGE_STATE, b"")
    return (
        told is not None
        and smsc_id.isascii()
        and told.rstrip(b"\0") == smsc_id.encode("ascii")
        and len(reported) == 1
        and STATE_VALUES.get(reported[0]) is state is not None
        and not pdu.disagrees
    )


def _flags(pdu: DeliverSm | DataSm, smsc_id: str, stat: str, date_flag: str, *, disagree: bool) -> str:
    """Return what is to be said of a receipt that is not as it should be."""
    without_id = "no_id" if stat else "unparsed"
    found = {
        "bad_tlv": pdu.damaged,
        "long_id": len(smsc_id) >= MAX_LENGTH,
        without_id: not smsc_id,
        date_flag: bool(date_flag),
        "disagree": disagree,
    }
    return " ".join(flag for flag, said in found.items() if said)


def _with_parameters(
    pdu: DeliverSm | DataSm, smsc_id: str, state: MessageState | None, stat: str, err: str
) -> tuple[str, MessageState | None, str, str, bool]:
    """Return what the text said with what the parameters say put over it, and whether they contradict each other."""
    disagree = pdu.disagrees
    parameter = receipted_id(pdu)
    if parameter and parameter != smsc_id:
        disagree = disagree or ids_disagree(parameter, smsc_id)
        smsc_id = parameter
    reported = pdu.tlvs.get(Tag.MESSAGE_STATE, b"")
    if len(reported) == 1:
        meant = STATE_VALUES.get(reported[0])
        disagree = disagree or (state is not None and meant is not None and meant is not state)
        stat = stat_of(stat, reported[0], both=meant is not None and meant is not state)
        state = meant or state
    network = pdu.tlvs.get(Tag.NETWORK_ERROR_CODE, b"")
    if len(network) == 3:
        code = str(int.from_bytes(network[1:], "big"))
        disagree = disagree or errors_disagree(code, err)
        err = f"{network[0]}:{code}"  # SMPP 3.4, 5.3.2.31
    return smsc_id, state, stat, err, disagree


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
