"""What is SQLite's own among the promises of a store: shared commits, a full disk, a foreign schema."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import apsw
import pytest

from esito.domain.errors import NewerSchema, StoreFailed, StoreUnavailable, UnsafeEngine
from esito.store.sqlite import SqliteStore
from esito.store.sqlite.connection import connect, migrate, require_safe_engine
from tests.kit.builders import account_in, complaints, links_in, message

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


class Watched(SqliteStore):
    """Shows the connection it writes with."""

    writing: apsw.Connection

    def _open_for_writing(self) -> apsw.Connection:
        self.writing = super()._open_for_writing()
        return self.writing


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[SqliteStore]:
    opened = SqliteStore(tmp_path / "esito.db")
    await opened.open()
    yield opened
    await opened.close()


@pytest.mark.parametrize("version", ["3.7.0", "3.45.1", "3.51.2"])
def test_a_release_that_can_lose_commits_is_refused(version: str) -> None:
    with pytest.raises(UnsafeEngine, match=version):
        require_safe_engine(version)


def test_the_engine_we_carry_is_safe() -> None:
    require_safe_engine(apsw.sqlite_lib_version())


async def test_a_newer_schema_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "esito.db"
    newer = connect(path)
    migrate(newer)
    newer.execute("PRAGMA user_version = 999")
    with pytest.raises(NewerSchema, match="999"):
        await SqliteStore(path).open()
    assert newer.execute("PRAGMA user_version").get == 999
    newer.close()


def test_migrations_are_applied_once(tmp_path: Path) -> None:
    connection = connect(tmp_path / "esito.db")
    assert migrate(connection) > 0
    assert migrate(connection) == 0
    connection.close()


def test_the_settings_that_durability_rests_on(tmp_path: Path) -> None:
    connection = connect(tmp_path / "esito.db")
    assert connection.execute("PRAGMA journal_mode").get == "wal"
    assert connection.execute("PRAGMA synchronous").get == 2
    connection.close()


async def test_callers_at_the_same_time_share_a_commit(tmp_path: Path) -> None:
    store = Watched(tmp_path / "esito.db")
    await store.open()
    account = await account_in(store, credit="1000")
    await links_in(store)
    commits = itertools.count()
    store.writing.set_commit_hook(lambda: next(commits) < 0)
    numbers = await asyncio.gather(*(store.accept(message(account)) for _ in range(200)))
    await store.close()
    assert len(set(numbers)) == 200
    assert next(commits) < 10


async def test_one_callers_fault_does_not_undo_anothers_work(store: SqliteStore) -> None:
    account = await account_in(store, credit="1")
    await links_in(store)
    rich = store.accept(message(account, cost=1_000_000))
    poor = store.accept(message(account, cost=1_000_000))
    results = await asyncio.gather(rich, poor, return_exceptions=True)
    assert [type(one) is int for one in results] == [True, False]
    assert await complaints(store) == []


async def test_a_full_disk_refuses_answers_questions_and_goes_on_when_there_is_space(tmp_path: Path) -> None:
    store = Watched(tmp_path / "esito.db")
    await store.open()
    account = await account_in(store, credit="1000")
    await links_in(store)
    number = await store.accept(message(account))
    writer = store.writing
    pages = int(str(writer.execute("PRAGMA page_count").get))
    writer.execute(f"PRAGMA max_page_count = {pages + 2}")
    many = (store.accept(message(account, range(33600000000, 33600000500))) for _ in range(100))
    with pytest.raises(StoreUnavailable, match="full"):
        await asyncio.gather(*many)
    assert await complaints(store) == []
    assert len(await store.recipients_of(account.id, number) or []) == 1
    writer.execute("PRAGMA max_page_count = 1000000")
    assert await store.accept(message(account)) > number
    await store.close()


async def test_after_a_commit_that_failed_nothing_more_is_promised(tmp_path: Path) -> None:
    """A write that meets an I/O error may be on the disk or not: the process is told to stop, and says no more."""
    failures: list[Exception] = []
    store = SqliteStore(tmp_path / "esito.db", failed=failures.append)
    await store.open()
    account = await account_in(store)
    await links_in(store)

    def breaks(_connection: apsw.Connection, _payloads: object) -> list[object]:
        raise apsw.IOError("disk I/O error")

    with pytest.raises(StoreFailed):
        await store._writer.do(breaks, None)
    with pytest.raises(StoreFailed):
        await store.accept(message(account))
    assert len(failures) == 1
    await store.close()
