"""Writers share a commit; a fault in one of them is not the fault of the others."""

import asyncio
from pathlib import Path

import pytest

from esito.domain.errors import NotEnoughCredit, StoreFailed
from esito.store.sql_connection import Connection, perform
from esito.store.sqlite import SqliteStore
from esito.store.sqlite.sqlite_connection import SqliteConnection
from esito.store.write_queue import MAX_JOBS
from tests.kit.builders import account_in, links_in, message, receipt, submitted
from tests.kit.patience import in_time
from tests.unit.store.holding import held

pytestmark = pytest.mark.anyio


async def count_commits(store: SqliteStore) -> list[int]:
    """Return a list that grows with every commit from now on."""
    commits: list[int] = []

    def note() -> bool:
        commits.append(1)
        return False

    def hook(connection: Connection) -> None:
        assert isinstance(connection, SqliteConnection)
        connection.bare.set_commit_hook(note)

    await store._engine.do(perform, hook)
    commits.clear()
    return commits


async def test_what_waits_shares_one_commit(store: SqliteStore) -> None:
    account = await account_in(store)
    await links_in(store)
    commits = await count_commits(store)
    async with held(store):
        sends = [asyncio.ensure_future(store.accept(message(account, cost=0))) for _ in range(100)]
        settings = [asyncio.ensure_future(store.keep_setting(str(n), "x")) for n in range(100)]
        await asyncio.sleep(0)
        assert store.depth == 200
        assert commits == []
    numbers = await asyncio.gather(*sends)
    await asyncio.gather(*settings)
    assert len(set(numbers)) == 100
    assert len(commits) == 2, "one for the transaction that was held, one for the two hundred"


async def test_no_commit_grows_without_bound(store: SqliteStore) -> None:
    commits = await count_commits(store)
    async with held(store):
        settings = [asyncio.ensure_future(store.keep_setting(str(n), "x")) for n in range(MAX_JOBS + 1)]
        await asyncio.sleep(0)
    await asyncio.gather(*settings)
    assert len(commits) == 3


async def test_a_caller_hears_of_the_end_after_the_commit(store: SqliteStore, path: Path) -> None:
    await store.keep_setting("colour", "green")
    other = SqliteConnection.open(path, read_only=True)
    assert other.execute("SELECT value FROM setting WHERE name = 'colour'").get == "green"
    other.close()


async def test_a_fault_undoes_its_own_work_and_not_its_neighbours(store: SqliteStore) -> None:
    account = await account_in(store)
    await links_in(store)

    def fail(connection: Connection) -> None:
        connection.run("keep_setting", name="half", value="done")
        raise ZeroDivisionError

    async def work_that_fails() -> None:
        await store._engine.do(perform, fail)

    async with held(store):
        before = asyncio.ensure_future(store.accept(message(account)))
        faulty = asyncio.ensure_future(work_that_fails())
        after = asyncio.ensure_future(store.accept(message(account)))
        await asyncio.sleep(0)
    with pytest.raises(ZeroDivisionError):
        await faulty
    assert await before < await after
    assert await store.setting("half") is None
    assert (await store.counts()).messages == 2


async def test_a_fault_of_one_that_is_by_itself_undoes_its_work(store: SqliteStore) -> None:
    def fail(connection: Connection) -> None:
        connection.run("keep_setting", name="half", value="done")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await store._engine.do(perform, fail)
    assert await store.setting("half") is None
    await store.keep_setting("half", "whole")
    assert await store.setting("half") == "whole"


async def test_a_refusal_among_others_is_its_own_affair(store: SqliteStore) -> None:
    poor, rich = await account_in(store, "poor", credit="0"), await account_in(store, "rich")
    await links_in(store)
    async with held(store):
        sends = [asyncio.ensure_future(store.accept(message(who))) for who in (rich, poor, rich)]
        await asyncio.sleep(0)
    first, refused, second = await asyncio.gather(*sends, return_exceptions=True)
    assert isinstance(refused, NotEnoughCredit)
    assert (type(first), type(second)) == (int, int)


async def test_a_caller_who_went_away_does_not_disturb_the_commit(store: SqliteStore) -> None:
    async with held(store):
        gone = asyncio.ensure_future(store.keep_setting("gone", "kept"))
        await asyncio.sleep(0)
        gone.cancel()
        stays = asyncio.ensure_future(store.keep_setting("stays", "kept"))
        await asyncio.sleep(0)
    await stays
    assert await store.setting("gone") == "kept"


async def test_what_can_be_neither_kept_nor_undone_stops_the_store(path: Path) -> None:
    """Nobody may wait for ever for a writer that is no more."""
    told: list[Exception] = []
    store = SqliteStore(path, failed=told.append)
    await store.open()

    def pull_the_plug(connection: Connection) -> None:
        assert isinstance(connection, SqliteConnection)
        connection.bare.close()

    async with in_time():
        with pytest.raises(StoreFailed):
            await store._engine.do(perform, pull_the_plug)
        assert len(told) == 1
        with pytest.raises(StoreFailed):
            await store.keep_setting("colour", "red")
        await store.close()


async def test_closing_finishes_what_was_begun(path: Path) -> None:
    store = SqliteStore(path)
    await store.open()
    last = [asyncio.ensure_future(store.keep_setting(str(n), "kept")) for n in range(50)]
    await asyncio.sleep(0)
    await store.close()
    await asyncio.gather(*last)
    await (again := SqliteStore(path)).open()
    assert [await again.setting(str(n)) for n in range(50)] == ["kept"] * 50
    await again.close()


async def test_receipts_of_several_callers_are_settled_in_the_order_they_came(store: SqliteStore) -> None:
    account = await account_in(store)
    await links_in(store)
    await submitted(store, message(account), ["7"])
    async with held(store):
        calls = [
            asyncio.ensure_future(store.apply_receipts([receipt("7", word)]))
            for word in ("ACCEPTD", "DELIVRD", "DELIVRD")
        ]
        await asyncio.sleep(0)
    verdicts: dict[str, int] = {}
    for settled in await asyncio.gather(*calls):
        for verdict, count in settled.verdicts.items():
            verdicts[verdict] = verdicts.get(verdict, 0) + count
    assert verdicts == {"moved": 2, "duplicate": 1}
