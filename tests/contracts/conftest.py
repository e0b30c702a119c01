"""Every store is held to the same promises: the fixture opens each in turn."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from esito.store.interface.store import Store
from tests.kit.builders import complaints
from tests.kit.stores import KINDS, LOGGED, a_place, a_store


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=KINDS)
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[str]:
    """The URL of a store that nothing is in yet."""
    async with a_place(request.param, tmp_path) as url:
        yield url


@pytest.fixture(params=[*KINDS, LOGGED])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """An empty, open store, whose books must balance when the test ends."""
    async with a_store(request.param, tmp_path) as opened:
        yield opened
        assert await complaints(opened) == []
