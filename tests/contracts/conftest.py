"""Every store is held to the same promises: the fixture opens each in turn."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from esito.store.base import Store
from esito.store.sqlite import SqliteStore
from tests.kit.builders import complaints


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(params=["sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    """An empty, open store, whose books must balance when the test ends."""
    opened = SqliteStore(tmp_path / "esito.db")
    await opened.open()
    yield opened
    problems = await complaints(opened)
    await opened.close()
    assert problems == []
