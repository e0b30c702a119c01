"""References that tie the segments of a long message together."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esito.smpp.outgoing import reference_of

IDS = st.integers(1, 2**60)
NUMBERS = st.integers(10**7, 10**15 - 1).map("+{}".format)
BITS = st.sampled_from([8, 16])


@given(IDS, NUMBERS, BITS)
def test_messages_to_one_number_that_follow_each_other_or_lie_256_apart_differ(
    message_id: int, msisdn: str, bits: int
) -> None:
    own = reference_of(message_id, msisdn, bits=bits)
    assert 0 <= own < 1 << bits
    for distance in (1, 1 << bits, 256):
        assert reference_of(message_id + distance, msisdn, bits=bits) != own


@given(IDS, NUMBERS)
def test_every_message_of_a_block_has_a_reference_of_its_own(message_id: int, msisdn: str) -> None:
    block = message_id & ~0xFF
    assert len({reference_of(block + place, msisdn, bits=8) for place in range(256)}) == 256


@pytest.mark.slow
def test_no_distance_between_messages_repeats_the_reference_always() -> None:
    for distance in range(1, 2000):
        same = sum(
            reference_of(start, "+33612345678", bits=8) == reference_of(start + distance, "+33612345678", bits=8)
            for start in range(0, 20_000, 101)
        )
        assert same < 20, distance


def test_the_reference_is_the_same_in_every_process_and_version() -> None:
    """A message that is half on its way when a new version starts is finished under the same reference."""
    assert [reference_of(number, "+33612345678", bits=8) for number in (1, 2, 257)] == PINNED_8
    assert [reference_of(number, "+33612345678", bits=16) for number in (1, 2, 257)] == PINNED_16


PINNED_8 = [205, 206, 179]
PINNED_16 = [33997, 33998, 34253]
