"""The protocol data units of SMPP 3.4 as plain records, and their constants.

`codec` reads and writes them. Field names are those of the specification (section 4);
addresses are text, texts of messages are octets. `tlvs` has all optional parameters, known
or not, in the order they came: `{tag: value octets}`.
"""

from enum import IntEnum

import msgspec

HEADER_LENGTH = 16
RESPONSE_BIT = 0x80000000


class Command(IntEnum):
    """command_id (SMPP 3.4, 5.1.2.1)."""

    GENERIC_NACK = 0x80000000
    BIND_RECEIVER = 0x00000001
    BIND_RECEIVER_RESP = 0x80000001
    BIND_TRANSMITTER = 0x00000002
    BIND_TRANSMITTER_RESP = 0x80000002
    QUERY_SM = 0x00000003
    QUERY_SM_RESP = 0x80000003
    SUBMIT_SM = 0x00000004
    SUBMIT_SM_RESP = 0x80000004
    DELIVER_SM = 0x00000005
    DELIVER_SM_RESP = 0x80000005
    UNBIND = 0x00000006
    UNBIND_RESP = 0x80000006
    BIND_TRANSCEIVER = 0x00000009
    BIND_TRANSCEIVER_RESP = 0x80000009
    ENQUIRE_LINK = 0x00000015
    ENQUIRE_LINK_RESP = 0x80000015
    DATA_SM = 0x00000103
    DATA_SM_RESP = 0x80000103


class Status(IntEnum):
    """command_status (SMPP 3.4, 5.1.3): those that we send or act upon; any other number is kept as it came."""

    ESME_ROK = 0x00
    ESME_RINVMSGLEN = 0x01
    ESME_RINVCMDLEN = 0x02
    ESME_RINVCMDID = 0x03
    ESME_RINVBNDSTS = 0x04
    ESME_RALYBND = 0x05
    ESME_RSYSERR = 0x08
    ESME_RINVSRCADR = 0x0A
    ESME_RINVDSTADR = 0x0B
    ESME_RINVMSGID = 0x0C
    ESME_RBINDFAIL = 0x0D
    ESME_RINVPASWD = 0x0E
    ESME_RINVSYSID = 0x0F
    ESME_RMSGQFUL = 0x14
    ESME_RSUBMITFAIL = 0x45
    ESME_RTHROTTLED = 0x58
    ESME_RX_T_APPN = 0x64
    ESME_RX_P_APPN = 0x65
    ESME_RX_R_APPN = 0x66
    ESME_RQUERYFAIL = 0x67
    ESME_RDELIVERYFAILURE = 0xFE
    ESME_RUNKNOWNERR = 0xFF


def status_name(status: int) -> str:
    """Return `ESME_RINVPASWD (0x0000000E)`, or the number alone if it has no name here."""
    try:
        return f"{Status(status).name} (0x{status:08X})"
    except ValueError:
        return f"0x{status:08X}"


class Tag(IntEnum):
    """Optional parameter tags (SMPP 3.4, 5.3.2) that we read or write."""

    SC_INTERFACE_VERSION = 0x0210
    RECEIPTED_MESSAGE_ID = 0x001E
    SAR_MSG_REF_NUM = 0x020C
    SAR_TOTAL_SEGMENTS = 0x020E
    SAR_SEGMENT_SEQNUM = 0x020F
    NETWORK_ERROR_CODE = 0x0423
    MESSAGE_PAYLOAD = 0x0424
    MESSAGE_STATE = 0x0427


class EsmClass(IntEnum):
    """Bits of esm_class (SMPP 3.4, 5.2.12)."""

    DELIVERY_RECEIPT = 0x04
    DELIVERY_ACKNOWLEDGEMENT = 0x08
    USER_ACKNOWLEDGEMENT = 0x10
    INTERMEDIATE_NOTIFICATION = 0x20
    UDHI = 0x40


class Pdu(msgspec.Struct, kw_only=True, frozen=True, gc=False):
    """The header of every PDU; `status` is command_status, zero in requests."""

    sequence: int = 0
    status: int = 0


class Bind(Pdu, frozen=True, kw_only=True):
    """The body shared by the three binds (4.1)."""

    system_id: str = ""
    password: str = ""
    system_type: str = ""
    interface_version: int = 0x34
    addr_ton: int = 0
    addr_npi: int = 0
    address_range: str = ""


class BindReceiver(Bind, frozen=True, kw_only=True):
    """bind_receiver (4.1.3)."""


class BindTransmitter(Bind, frozen=True, kw_only=True):
    """bind_transmitter (4.1.1)."""


class BindTransceiver(Bind, frozen=True, kw_only=True):
    """bind_transceiver (4.1.5)."""


class BindResp(Pdu, frozen=True, kw_only=True):
    """The body shared by the three bind responses; empty if the bind is refused."""

    system_id: str = ""
    tlvs: dict[int, bytes] = msgspec.field(default_factory=dict)


class BindReceiverResp(BindResp, frozen=True, kw_only=True):
    """bind_receiver_resp (4.1.4)."""


class BindTransmitterResp(BindResp, frozen=True, kw_only=True):
    """bind_transmitter_resp (4.1.2)."""


class BindTransceiverResp(BindResp, frozen=True, kw_only=True):
    """bind_transceiver_resp (4.1.6)."""


class ShortMessage(Pdu, frozen=True, kw_only=True):
    """The body that submit_sm and deliver_sm share, field by field."""

    service_type: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""
    esm_class: int = 0
    protocol_id: int = 0
    priority_flag: int = 0
    schedule_delivery_time: str = ""
    validity_period: str = ""
    registered_delivery: int = 0
    replace_if_present_flag: int = 0
    data_coding: int = 0
    sm_default_msg_id: int = 0
    short_message: bytes = b""
    tlvs: dict[int, bytes] = msgspec.field(default_factory=dict)
    # True if sm_length or a TLV length pointed past the end and was cut there.
    damaged: bool = False
    # True if a TLV of a receipt came twice with different values; `tlvs` has the first.
    disagrees: bool = False
    # The whole PDU as it came, header included; empty if we made it ourselves.
    frame: bytes = b""


class SubmitSm(ShortMessage, frozen=True, kw_only=True):
    """submit_sm (4.4.1)."""


class DeliverSm(ShortMessage, frozen=True, kw_only=True):
    """deliver_sm (4.6.1)."""

    # True if its fields cannot be read: then only sequence, status and frame are set.
    unreadable: bool = False


class DataSm(Pdu, frozen=True, kw_only=True):
    """data_sm (4.7.1): like deliver_sm, its text in the message_payload TLV."""

    service_type: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""
    dest_addr_ton: int = 0
    dest_addr_npi: int = 0
    destination_addr: str = ""
    esm_class: int = 0
    registered_delivery: int = 0
    data_coding: int = 0
    tlvs: dict[int, bytes] = msgspec.field(default_factory=dict)
    damaged: bool = False
    disagrees: bool = False
    unreadable: bool = False
    frame: bytes = b""


class SubmitSmResp(Pdu, frozen=True, kw_only=True):
    """submit_sm_resp (4.4.2); message_id is empty if the status is an error."""

    message_id: str = ""


class DeliverSmResp(Pdu, frozen=True, kw_only=True):
    """deliver_sm_resp (4.6.2); message_id is unused and empty."""

    message_id: str = ""


class DataSmResp(Pdu, frozen=True, kw_only=True):
    """data_sm_resp (4.7.2)."""

    message_id: str = ""
    tlvs: dict[int, bytes] = msgspec.field(default_factory=dict)


class QuerySm(Pdu, frozen=True, kw_only=True):
    """query_sm (4.8.1)."""

    message_id: str = ""
    source_addr_ton: int = 0
    source_addr_npi: int = 0
    source_addr: str = ""


class QuerySmResp(Pdu, frozen=True, kw_only=True):
    """query_sm_resp (4.8.2)."""

    message_id: str = ""
    final_date: str = ""
    message_state: int = 0
    error_code: int = 0


class Unbind(Pdu, frozen=True, kw_only=True):
    """unbind (4.2.1)."""


class UnbindResp(Pdu, frozen=True, kw_only=True):
    """unbind_resp (4.2.2)."""


class EnquireLink(Pdu, frozen=True, kw_only=True):
    """enquire_link (4.11.1)."""


class EnquireLinkResp(Pdu, frozen=True, kw_only=True):
    """enquire_link_resp (4.11.2)."""


class GenericNack(Pdu, frozen=True, kw_only=True):
    """generic_nack (4.3.1)."""
