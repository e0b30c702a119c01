"""PDUs to octets and back (SMPP 3.4, sections 3 to 5), strict and bounds-checked.

Whatever the octets, `decode` raises only the errors below. deliver_sm and submit_sm, nearly
all of the traffic, are read field by field; the other PDUs by a table.
"""

import struct
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from esito.domain.errors import EsitoError
from esito.domain.message_ids import clean_id
from esito.smpp import pdu as p
from esito.smpp.pdu import HEADER_LENGTH, RESPONSE_BIT, Command, Pdu, Status

MAX_PDU = 128 * 1024
"""A message_payload of 64 KiB fits; a peer that announces more does not speak SMPP."""

_HEADER = struct.Struct(">IIII")
_LENGTH = struct.Struct(">I")
_TLV = struct.Struct(">HH")


class ProtocolError(EsitoError):
    """The rules of SMPP were broken."""


class LocalProtocolError(ProtocolError):
    """We asked for something SMPP forbids at this point."""


class RemoteProtocolError(ProtocolError):
    """The peer sent something SMPP forbids at this point."""


class InvalidLength(RemoteProtocolError):
    """command_length is impossible, so the PDUs that follow cannot be found."""

    def __init__(self, why: str, frames: Sequence[bytes] = ()) -> None:
        super().__init__(why)
        self.frames = list(frames)
        """The whole PDUs before it."""


class InvalidPdu(RemoteProtocolError):
    """The body cannot be read; the connection goes on."""

    status = Status.ESME_RINVMSGLEN

    def __init__(self, command_id: int, sequence: int, why: str = "") -> None:
        super().__init__(f"command {command_id:#010x}, sequence {sequence}: {why}")
        self.command_id = command_id
        self.sequence = sequence


class InvalidDelivery(InvalidPdu):
    """A deliver_sm or data_sm that cannot be read; it is kept as it came."""

    def __init__(self, pdu: p.DeliverSm | p.DataSm, why: str) -> None:
        super().__init__(COMMAND_OF[type(pdu)], pdu.sequence, why)
        self.pdu = pdu
        """The PDU, without any field but its frame."""


class UnknownCommand(InvalidPdu):
    """The command_id is unknown."""

    status = Status.ESME_RINVCMDID


class FrameBuffer:
    """Splits a stream of octets into whole PDUs."""

    def __init__(self) -> None:
        self._pieces = bytearray()
        self._wanted = 0  # octets needed before the unfinished PDU is looked at again

    @property
    def is_empty(self) -> bool:
        """Whether no unfinished PDU is waiting."""
        return not self._pieces

    def feed(self, data: bytes) -> list[bytes]:
        """Return the PDUs that are whole now. Raises InvalidLength, with these, as soon as four octets show it."""
        if self._pieces:
            self._pieces += data
            if len(self._pieces) < self._wanted:
                return []
            data = bytes(self._pieces)
        frames: list[bytes] = []
        start, end, self._wanted = 0, len(data), 4
        while end - start >= 4:
            length = _LENGTH.unpack_from(data, start)[0]
            if not HEADER_LENGTH <= length <= MAX_PDU:
                raise InvalidLength(f"command_length {length:#010x}", frames)
            if end - start < length:
                self._wanted = length
                break
            frames.append(data[start : start + length])
            start += length
        rest = data[start:]
        if self._pieces or rest:
            self._pieces = bytearray(rest)
        return frames


# -- reading ---------------------------------------------------------------------------------


class _Short(Exception):
    """The body ended before the field did."""


def _c_string(body: bytes, start: int) -> tuple[str, int]:
    end = body.find(0, start)
    if end < 0:
        raise _Short("a C-octet string has no NUL")
    return body[start:end].decode("latin-1"), end + 1


def _last_c_string(body: bytes, start: int) -> tuple[str, int]:
    """Read a C-octet string at the end of a PDU, where some peers omit the NUL."""
    if start >= len(body):
        return "", start
    end = body.find(0, start)
    end = len(body) if end < 0 else end
    return body[start:end].decode("latin-1"), end + 1


def _octet(body: bytes, start: int) -> tuple[int, int]:
    if start >= len(body):
        raise _Short("an octet is missing")
    return body[start], start + 1


_ONCE = frozenset({p.Tag.RECEIPTED_MESSAGE_ID, p.Tag.MESSAGE_STATE, p.Tag.NETWORK_ERROR_CODE})


def _tlvs(body: bytes, start: int) -> tuple[dict[int, bytes], bool, bool]:
    """Read TLVs; of equal tags the first counts.

    Also return whether the last one ran past the end and was cut there, and whether a TLV of a receipt came twice with
    different values.
    """
    found: dict[int, bytes] = {}
    disagrees = False
    end = len(body)
    while start + 4 <= end:
        tag, length = _TLV.unpack_from(body, start)
        start += 4
        octets = body[start : start + length]
        if found.setdefault(tag, octets) != octets and tag in _ONCE:
            disagrees = True
        start += length
    return found, start != end, disagrees


_FIVE = struct.Struct(">BBBBB")


def _short_message(kind: type[p.SubmitSm] | type[p.DeliverSm], frame: bytes, sequence: int, status: int) -> Pdu:
    """Read the body that submit_sm and deliver_sm share (4.4.1, 4.6.1)."""
    find = frame.find
    end = find(0, 16)
    source_at = end + 3
    source_end = find(0, source_at)
    dest_at = source_end + 3
    dest_end = find(0, dest_at)
    schedule_at = dest_end + 4
    schedule_end = find(0, schedule_at)
    validity_end = find(0, schedule_end + 1)
    fixed = validity_end + 1
    if min(end, source_end, dest_end, schedule_end, validity_end) < 0 or fixed + 5 > len(frame):
        raise _Short("a mandatory field is missing")
    registered, replace, coding, default_id, length = _FIVE.unpack_from(frame, fixed)
    text_at = fixed + 5
    text_end = text_at + length
    damaged, disagrees = text_end > len(frame), False
    tlvs: dict[int, bytes] = {}
    if text_end < len(frame):
        tlvs, damaged, disagrees = _tlvs(frame, text_end)
    return kind(
        sequence=sequence,
        status=status,
        service_type=frame[16:end].decode("latin-1"),
        source_addr_ton=frame[end + 1],
        source_addr_npi=frame[end + 2],
        source_addr=frame[source_at:source_end].decode("latin-1"),
        dest_addr_ton=frame[source_end + 1],
        dest_addr_npi=frame[source_end + 2],
        destination_addr=frame[dest_at:dest_end].decode("latin-1"),
        esm_class=frame[dest_end + 1],
        protocol_id=frame[dest_end + 2],
        priority_flag=frame[dest_end + 3],
        schedule_delivery_time=frame[schedule_at:schedule_end].decode("latin-1"),
        validity_period=frame[schedule_end + 1 : validity_end].decode("latin-1"),
        registered_delivery=registered,
        replace_if_present_flag=replace,
        data_coding=coding,
        sm_default_msg_id=default_id,
        short_message=frame[text_at:text_end],
        tlvs=tlvs,
        damaged=damaged,
        disagrees=disagrees,
        frame=frame,
    )


_Reader = Callable[[bytes, int], tuple[Any, int]]
_Field = tuple[str, _Reader, int]
"""Name, how it is read, and the most octets a C-octet string may have, NUL included (0: one octet)."""


def _text(name: str, most: int) -> _Field:
    return name, _c_string, most


def _int(name: str) -> _Field:
    return name, _octet, 0


def _id(name: str) -> _Field:
    return name, _last_c_string, 66


_ADDRESSES: tuple[_Field, ...] = (
    _int("source_addr_ton"),
    _int("source_addr_npi"),
    _text("source_addr", 21),
    _int("dest_addr_ton"),
    _int("dest_addr_npi"),
    _text("destination_addr", 21),
)
_BIND: tuple[_Field, ...] = (
    # SMPP allows 15 and 8; some operators assign longer ones.
    _text("system_id", 65),
    _text("password", 65),
    _text("system_type", 13),
    _int("interface_version"),
    _int("addr_ton"),
    _int("addr_npi"),
    _text("address_range", 41),
)
_DATA: tuple[_Field, ...] = (
    _text("service_type", 6),
    *_ADDRESSES[:5],
    _text("destination_addr", 66),
    _int("esm_class"),
    _int("registered_delivery"),
    _int("data_coding"),
)
_SHORT: tuple[_Field, ...] = (
    _text("service_type", 6),
    *_ADDRESSES,
    _int("esm_class"),
    _int("protocol_id"),
    _int("priority_flag"),
    _text("schedule_delivery_time", 17),
    _text("validity_period", 17),
    _int("registered_delivery"),
    _int("replace_if_present_flag"),
    _int("data_coding"),
    _int("sm_default_msg_id"),
)

_LAYOUTS: dict[Command, tuple[type[Pdu], tuple[_Field, ...]]] = {
    Command.GENERIC_NACK: (p.GenericNack, ()),
    Command.BIND_RECEIVER: (p.BindReceiver, _BIND),
    Command.BIND_TRANSMITTER: (p.BindTransmitter, _BIND),
    Command.BIND_TRANSCEIVER: (p.BindTransceiver, _BIND),
    Command.BIND_RECEIVER_RESP: (p.BindReceiverResp, (("system_id", _last_c_string, 65),)),
    Command.BIND_TRANSMITTER_RESP: (p.BindTransmitterResp, (("system_id", _last_c_string, 65),)),
    Command.BIND_TRANSCEIVER_RESP: (p.BindTransceiverResp, (("system_id", _last_c_string, 65),)),
    Command.QUERY_SM: (
        p.QuerySm,
        (_text("message_id", 65), _int("source_addr_ton"), _int("source_addr_npi"), _text("source_addr", 21)),
    ),
    Command.QUERY_SM_RESP: (
        p.QuerySmResp,
        (_text("message_id", 65), _text("final_date", 17), _int("message_state"), _int("error_code")),
    ),
    Command.SUBMIT_SM: (p.SubmitSm, _SHORT),
    Command.DELIVER_SM: (p.DeliverSm, _SHORT),
    Command.DATA_SM: (p.DataSm, _DATA),
    Command.SUBMIT_SM_RESP: (p.SubmitSmResp, (_id("message_id"),)),
    Command.DELIVER_SM_RESP: (p.DeliverSmResp, (_id("message_id"),)),
    Command.DATA_SM_RESP: (p.DataSmResp, (_id("message_id"),)),
    Command.UNBIND: (p.Unbind, ()),
    Command.UNBIND_RESP: (p.UnbindResp, ()),
    Command.ENQUIRE_LINK: (p.EnquireLink, ()),
    Command.ENQUIRE_LINK_RESP: (p.EnquireLinkResp, ()),
}
COMMAND_OF: Mapping[type[Pdu], Command] = {kind: command for command, (kind, _) in _LAYOUTS.items()}
"""command_id of each record type."""

_BY_NUMBER = {int(command): layout for command, layout in _LAYOUTS.items()}
_HAS_TLVS = frozenset({kind for kind, _ in _LAYOUTS.values() if "tlvs" in kind.__struct_fields__})


def decode(frame: bytes) -> Pdu:
    """Return the PDU in one whole frame. Raises InvalidPdu, InvalidDelivery, UnknownCommand, InvalidLength."""
    if len(frame) < HEADER_LENGTH:
        raise InvalidLength(f"{len(frame)} octets are no PDU")
    _, command, status, sequence = _HEADER.unpack_from(frame)
    try:
        if command == Command.DELIVER_SM:
            return _short_message(p.DeliverSm, frame, sequence, status)
        if command == Command.SUBMIT_SM:
            return _short_message(p.SubmitSm, frame, sequence, status)
        if command == Command.SUBMIT_SM_RESP:
            return p.SubmitSmResp(sequence=sequence, status=status, message_id=clean_id(_last_c_string(frame, 16)[0]))
        if command == Command.DELIVER_SM_RESP:
            return p.DeliverSmResp(sequence=sequence, status=status)
        layout = _BY_NUMBER.get(command)
        if layout is None:
            raise UnknownCommand(command, sequence, "is not one we know")
        return _by_table(layout, frame, sequence, status)
    except _Short as why:
        raise _invalid(frame, command, status, sequence, str(why)) from None


def decode_to_keep(frame: bytes) -> Pdu:
    """Like `decode`, but return an unreadable delivery marked as such, with its frame."""
    try:
        return decode(frame)
    except InvalidDelivery as error:
        return error.pdu


def _invalid(frame: bytes, command: int, status: int, sequence: int, why: str) -> InvalidPdu:
    if command == Command.DELIVER_SM:
        return InvalidDelivery(p.DeliverSm(sequence=sequence, status=status, unreadable=True, frame=frame), why)
    if command == Command.DATA_SM:
        return InvalidDelivery(p.DataSm(sequence=sequence, status=status, unreadable=True, frame=frame), why)
    return InvalidPdu(command, sequence, why)


def _by_table(layout: tuple[type[Pdu], tuple[_Field, ...]], frame: bytes, sequence: int, status: int) -> Pdu:
    kind, fields = layout
    said: dict[str, Any] = {"sequence": sequence, "status": status}
    place = HEADER_LENGTH
    if status and len(frame) == HEADER_LENGTH and COMMAND_OF[kind] & RESPONSE_BIT:  # a refusal may lack its body
        return kind(**said)
    for name, read, _ in fields:
        said[name], place = read(frame, place)
    if kind in _HAS_TLVS:
        said["tlvs"], damaged, disagrees = _tlvs(frame, place) if place < len(frame) else ({}, False, False)
        if kind is p.DataSm:
            said |= {"damaged": damaged, "disagrees": disagrees, "frame": frame}
    return kind(**said)


# -- writing ---------------------------------------------------------------------------------

_DELIVER_SM_RESP = struct.Struct(">IIIIB")


def deliver_sm_resp_bytes(sequence: int, status: int = 0) -> bytes:
    """Return a deliver_sm_resp with its empty message_id."""
    return _DELIVER_SM_RESP.pack(17, Command.DELIVER_SM_RESP, status, sequence, 0)


def encode(pdu: Pdu) -> bytes:
    """Return the octets of a PDU. Raises LocalProtocolError for a field that SMPP does not allow."""
    command = COMMAND_OF[type(pdu)]
    body = b"" if pdu.status and command & RESPONSE_BIT and not getattr(pdu, "message_id", "") else _body(pdu, command)
    length = HEADER_LENGTH + len(body)
    if length > MAX_PDU:
        raise LocalProtocolError(f"{type(pdu).__name__} of {length} octets")
    return _HEADER.pack(length, command, pdu.status, pdu.sequence) + body


def _body(pdu: Pdu, command: Command) -> bytes:
    pieces = []
    for name, read, most in _LAYOUTS[command][1]:
        field = getattr(pdu, name)
        if read is _octet:
            if not 0 <= field <= 255:
                raise LocalProtocolError(f"{name} {field} does not fit an octet")
            pieces.append(bytes((field,)))
        else:
            pieces.append(_c_octets(name, field, most))
    if isinstance(pdu, p.ShortMessage):
        if len(pdu.short_message) > 254:
            raise LocalProtocolError(f"short_message of {len(pdu.short_message)} octets")
        pieces += (bytes((len(pdu.short_message),)), pdu.short_message)
    tlvs: dict[int, bytes] = getattr(pdu, "tlvs", {})
    pieces += [_TLV.pack(tag, len(octets)) + octets for tag, octets in tlvs.items()]
    return b"".join(pieces)


def _c_octets(name: str, text: str, most: int) -> bytes:
    try:
        octets = text.encode("latin-1")
    except UnicodeEncodeError:
        raise LocalProtocolError(f"{name} is not ASCII") from None
    if len(octets) >= most or 0 in octets:
        raise LocalProtocolError(f"{name} of {len(octets)} octets, {most - 1} fit")
    return octets + b"\0"
