"""Twice the input costs at most 2.5 times as much, of whatever strangers write."""

import pytest

from tests.growth.readers import READERS
from tests.kit.growth import AT_MOST, growth, no_collections


@pytest.mark.parametrize("name", READERS)
def test_the_work_grows_with_the_octets(name: str) -> None:
    reader = READERS[name]
    with no_collections():
        found = {spite: growth(reader.read, make, reader.most) for spite, make in reader.hostile.items()}
    assert {spite: ratio for spite, ratio in found.items() if ratio >= AT_MOST} == {}
