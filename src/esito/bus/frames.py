"""Frames: receipts of one gateway, packed with the gateway's own number, as they stand in the log and in the spool.

    2 octets  "EF"        what it is
    1 octet   1           the layout
    n octets  MessagePack [gateway, epoch, sequence, [receipt, ...]]
    8 octets  BLAKE2b of all that stands before

A log may hand out octets that it has damaged. The checksum tells, and a frame that is not whole is no frame.
"""

from hashlib import blake2b
from typing import NamedTuple

import msgspec

from esito.domain.receipt import DeliveryReceipt

_BEGINS = b"EF\x01"
_SUM = 8


class Frame(NamedTuple):
    """Receipts that go through the log together."""

    gateway: str
    epoch: int
    """Tells apart the series of one gateway that begin at 1."""
    sequence: int
    """1, 2, 3 ... without a hole within the series."""
    receipts: tuple[DeliveryReceipt, ...]


class Damaged(Exception):
    """This is no whole frame of ours; the text says why."""


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Frame)


def encode(frame: Frame) -> bytes:
    """Return a frame as it is written."""
    body = _BEGINS + _encoder.encode(frame)
    return body + blake2b(body, digest_size=_SUM).digest()


def decode(data: bytes) -> Frame:
    """Return the frame that was written. Raises Damaged for anything that is not one, whole and as it was."""
    if not data.startswith(_BEGINS):
        raise Damaged("it does not begin as a frame does")
    body, told = data[:-_SUM], data[-_SUM:]
    if blake2b(body, digest_size=_SUM).digest() != told:
        raise Damaged("its checksum is wrong")
    try:
        return _decoder.decode(memoryview(body)[len(_BEGINS) :])
    except msgspec.MsgspecError as error:
        raise Damaged(f"it cannot be read: {error}") from error
