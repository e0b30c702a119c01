"""An empty SQLite store on disk, whose books must balance when the test ends."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from esito.store.sqlite import SqliteStore
from tests.kit.builders import complaints
from tests.kit.stores import empty_database


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "esito.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[SqliteStore]:
    opened = SqliteStore(empty_database(path))
    await opened.open()
    yield opened
    problems = await complaints(opened)
    await opened.close()
    assert problems == []
