"""The fuzzer's properties under hypothesis, which shrinks what breaks them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scripts.fuzz import seeds
from tests.fuzz.properties import TARGETS

SEEDS = seeds()


@st.composite
def bent(draw: st.DrawFn) -> bytes:
    """Return the octets of a receipt with a piece replaced, removed or put in."""
    octets = draw(st.sampled_from(SEEDS))
    start = draw(st.integers(0, len(octets)))
    end = draw(st.integers(start, min(len(octets), start + 8)))
    return octets[:start] + draw(st.binary(max_size=8)) + octets[end:]


@pytest.mark.parametrize("name", TARGETS)
@given(octets=bent() | st.binary(max_size=400))
def test_any_octets_keep_the_property(name: str, octets: bytes) -> None:
    TARGETS[name](octets)


@pytest.mark.parametrize("name", TARGETS)
def test_what_is_fuzzed_first_keeps_it_too(name: str) -> None:
    assert len(SEEDS) > 100
    for octets in SEEDS:
        TARGETS[name](octets)
