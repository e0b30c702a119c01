"""Frames: receipts of one gateway, packed with the gateway's own number, as they stand in the log and in the spool.

    2 octets  "EF"        what it is
    1 octet   2           the layout
    n octets  MessagePack [gateway, epoch, sequence, [receipt, ...]], deflated (zlib)
    8 octets  BLAKE2b of all that stands before

A log may hand out octets that it has damaged. The checksum tells, and a frame that is not whole is no frame.
Receipts say much the same, each in two ways: deflated they take a sixth, and every server of the log writes them.
"""

import zlib
from hashlib import blake2b
from typing import NamedTuple

import msgspec

from esito.domain.receipt import DeliveryReceipt

_BEGINS = b"EF\x02"
_SUM = 8
_FAST = 1
"""The level of deflating: the higher ones take three times as long and save next to nothing."""

MOST_INFLATED = 64 << 20
"""Octets of a frame as it is packed: no frame of ours comes near."""


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
    body = _BEGINS + zlib.compress(_encoder.encode(frame), _FAST)
    return body + blake2b(body, digest_size=_SUM).digest()


def decode(data: bytes) -> Frame:
    """Return the frame that was written. Raises Damaged for anything that is not one, whole and as it was."""
    if not data.startswith(_BEGINS):
        raise Damaged("it does not begin as a frame does")
    body, told = data[:-_SUM], data[-_SUM:]
    if blake2b(body, digest_size=_SUM).digest() != told:
        raise Damaged("its checksum is wrong")
    inflater = zlib.decompressobj()
    try:
        packed = inflater.decompress(memoryview(body)[len(_BEGINS) :], MOST_INFLATED)
        if not inflater.eof or inflater.unused_data:
            raise Damaged("it is longer than a frame can be, or does not end as one does")
        return _decoder.decode(packed)
    except (msgspec.MsgspecError, zlib.error) as error:
        raise Damaged(f"it cannot be read: {error}") from error
