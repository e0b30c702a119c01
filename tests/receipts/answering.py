"""How the scripted operator answers: what a case says of a message, and the octets that come of it."""

import struct
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from esito.smpp import pdu as p

_T = TypeVar("_T")

_HEADER = struct.Struct(">IIII")


@dataclass(slots=True, kw_only=True)
class Answering:
    """How the operator answers the segments of one recipient."""

    ids: list[str | None]
    status: int = 0
    status_of: dict[int, int] = field(default_factory=dict)
    throttled: int = 0
    queue_full: int = 0
    body: str = ""
    delay: float = 0.0
    held: bool = False
    """Say nothing until the scene says so."""
    order: list[int] = field(default_factory=list)
    """The parts in the order in which they are answered, once all have come."""
    first: list[int] = field(default_factory=list)
    """command_status of the first tries of each part."""
    lost: bool = False
    """The response of the first try never arrives."""
    late: "Late | None" = None
    octets: list[str] = field(default_factory=list)
    """Responses in hexadecimal, by part."""
    sequence: int | None = None
    """sequence_number of the responses, where it is wrong on purpose."""
    tries: Counter[int] = field(default_factory=Counter)
    """How often each part has come."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Late:
    """The answer to one try that comes late."""

    attempt: int
    status: int
    message_id: str
    after: str
    """`tryN_accepted` or `tryN_submitted`; else the scene says when."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the operator says of an id when it is asked."""

    message_state: int = 1
    final_date: str = ""
    error_code: int = 0
    status: int = 0
    silent: bool = False


@dataclass(frozen=True, slots=True)
class Submitted:
    """A submit_sm that came."""

    at: float
    to: str
    part: int
    pdu: p.SubmitSm
    status: int


def submit_sm_resp(answer: p.SubmitSmResp) -> bytes:
    """Return a submit_sm_resp; its id may be longer than SMPP allows. A refusal without an id ends with its header."""
    body = answer.message_id.encode("latin-1") + b"\0" if answer.message_id or not answer.status else b""
    length = p.HEADER_LENGTH + len(body)
    return _HEADER.pack(length, p.Command.SUBMIT_SM_RESP, answer.status, answer.sequence) + body


def response_octets(written: str, answer: p.Pdu) -> bytes:
    """Return a response of a case: a whole PDU, put right in its sequence_number, or what follows the header."""
    octets = bytes.fromhex(written)
    if len(octets) >= p.HEADER_LENGTH and octets[4:8] == p.Command.SUBMIT_SM_RESP.to_bytes(4, "big"):
        return octets[:12] + answer.sequence.to_bytes(4, "big") + octets[16:]
    length = p.HEADER_LENGTH + len(octets)
    return _HEADER.pack(length, p.Command.SUBMIT_SM_RESP, answer.status, answer.sequence) + octets


def nth(values: Sequence[_T], part: int) -> _T | None:
    """Return what belongs to a part: the last one stands for all that follow."""
    return values[min(part, len(values)) - 1] if values else None
