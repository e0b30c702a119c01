"""The API in-process, on a store in a file."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit.desk import Desk, desk


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Desk]:
    with desk(tmp_path) as open_desk:
        yield open_desk
