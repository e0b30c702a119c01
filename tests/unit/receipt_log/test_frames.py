"""Frames come back as they were packed, or are known to be damaged."""

import zlib
from hashlib import blake2b

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from esito.domain.receipt import DeliveryReceipt
from esito.domain.states import MessageState
from esito.receipt_log.frames import MOST_INFLATED, Damaged, Frame, decode, encode
from tests.kit.builders import receipt

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
moments = st.none() | st.integers(-(2**53), 2**53)
receipts = st.builds(
    DeliveryReceipt,
    link=texts,
    smsc_message_id=texts,
    state=st.none() | st.sampled_from(MessageState),
    stat=texts,
    error_code=texts,
    addresses=st.tuples(texts, texts),
    submitted_at=moments,
    done_at=moments,
    received_at=st.integers(0, 2**53),
    flags=texts,
    counts=st.booleans(),
    raw=st.binary(max_size=50),
)
frames = st.builds(
    Frame, texts, st.integers(0, 2**53), st.integers(1, 2**53), st.lists(receipts, max_size=5).map(tuple)
)
SMALL = encode(Frame("gateway", 1, 7, (receipt("4f2a", "DELIVRD"),)))


@given(frames)
def test_a_frame_comes_back_exactly(frame: Frame) -> None:
    again = decode(encode(frame))
    assert again == frame
    assert [type(one.state) for one in again.receipts] == [type(one.state) for one in frame.receipts]


def test_every_flipped_bit_is_noticed() -> None:
    for place in range(len(SMALL) * 8):
        changed = bytearray(SMALL)
        changed[place // 8] ^= 1 << place % 8
        with pytest.raises(Damaged):
            decode(bytes(changed))


def test_every_cut_is_noticed() -> None:
    for length in range(len(SMALL)):
        with pytest.raises(Damaged):
            decode(SMALL[:length])
    with pytest.raises(Damaged):
        decode(SMALL + b"\0")


@given(st.binary(max_size=200))
def test_anything_else_is_no_frame(data: bytes) -> None:
    for octets in (data, b"EF\x02" + data):
        with pytest.raises(Damaged):
            decode(octets)


def summed(body: bytes) -> bytes:
    """Return what our checksum makes look like a frame."""
    return body + blake2b(body, digest_size=8).digest()


def test_what_another_program_packed_with_our_checksum_is_no_frame() -> None:
    packed = zlib.compress(msgspec.msgpack.encode(["gateway", 1, "seven", []]))
    for body in (packed, b"seven"):
        with pytest.raises(Damaged, match="cannot be read"):
            decode(summed(b"EF\x02" + body))


@pytest.mark.slow
def test_what_swells_beyond_any_frame_or_is_followed_by_more_is_no_frame() -> None:
    whole = SMALL[: -len(summed(b""))]
    for body in (b"EF\x02" + zlib.compress(bytes(MOST_INFLATED + 1)), whole + b"more", whole[:-3]):
        with pytest.raises(Damaged, match="longer than a frame can be, or does not end"):
            decode(summed(body))


def test_receipts_that_say_much_the_same_take_little_room() -> None:
    many = tuple(receipt(f"{number:08x}", "DELIVRD") for number in range(1000))
    packed = sum(len(msgspec.msgpack.encode(one)) for one in many)
    assert len(encode(Frame("gateway", 1, 7, many))) < packed / 4
