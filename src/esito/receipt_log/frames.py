"""Frames: numbered packets of receipts of one gateway, the records of the log and of the spool.

    2 octets  "EF"        a frame of Esito
    1 octet   2           version of the layout
    n octets  MessagePack [gateway, epoch, sequence, [receipt, ...]], deflated (zlib)
    8 octets  BLAKE2b of all octets before

A log may return corrupt octets: the checksum shows it. Receipts are alike, and deflate to a sixth of their size,
which saves work on every server of the log.
"""

import zlib
from hashlib import blake2b
from typing import NamedTuple

import msgspec

from esito.domain.receipt import DeliveryReceipt

_BEGINS = b"EF\x02"
_SUM = 8
_FAST = 1
"""Compression level: higher ones take three times as long and save next to nothing."""

MOST_INFLATED = 64 << 20
"""Octets of an inflated frame: far more than ours have."""


class Frame(NamedTuple):
    """Receipts that pass the log together."""

    gateway: str
    epoch: int
    """Distinguishes the series of one gateway: each is numbered from 1."""
    sequence: int
    """1, 2, 3 ... without a gap within the series."""
    receipts: tuple[DeliveryReceipt, ...]


class Damaged(Exception):
    """The frame is truncated or corrupt; the text says how."""


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Frame)


def encode(frame: Frame) -> bytes:
    """Return the octets of a frame."""
    body = _BEGINS + zlib.compress(_encoder.encode(frame), _FAST)
    return body + blake2b(body, digest_size=_SUM).digest()


def decode(data: bytes) -> Frame:
    """Return the frame. Raises Damaged if it is truncated or corrupt."""
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
