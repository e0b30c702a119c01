"""A real store and a clock that moves only when it is pushed."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from esito.domain.timing import PushableClock
from esito.store.sqlite import SqliteStore
from tests.kit.builders import NOW, complaints
from tests.kit.desk import Standing
from tests.kit.stores import empty_database


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def clock() -> PushableClock:
    return PushableClock(Standing(NOW), speed=0)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    """An empty, open store, whose books must balance when the test ends."""
    opened = SqliteStore(empty_database(tmp_path / "esito.db"))
    await opened.open()
    yield opened
    problems = await complaints(opened)
    await opened.close()
    assert problems == []
