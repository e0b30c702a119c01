"""A copy of the file, written while others write to it."""

import asyncio
from pathlib import Path

import apsw
import pytest

from esito.domain.errors import StoreUnavailable
from esito.store.sqlite import SqliteStore
from esito.store.sqlite.backup import backup
from tests.kit.builders import account_in, complaints, links_in, message, receipt, submitted

pytestmark = pytest.mark.anyio


def names_in(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


async def busy(store: SqliteStore, kept: list[int], stop: asyncio.Event) -> None:
    """Accept, submit and settle messages until told to stop; note each once it is kept."""
    account = await account_in(store)
    await links_in(store)
    while not stop.is_set():
        name = str(len(kept) + 1)
        number = await submitted(store, message(account), [name])
        await store.apply_receipts([receipt(name, "DELIVRD")])
        kept.append(number)


async def test_the_copy_has_all_that_was_kept_before_it_began_and_balances(store: SqliteStore, path: Path) -> None:
    kept: list[int] = []
    stop = asyncio.Event()
    working = asyncio.ensure_future(busy(store, kept, stop))
    copy = path.with_name("copy.db")
    while len(kept) < 50:
        await asyncio.sleep(0.01)
    before = list(kept)
    await asyncio.to_thread(backup, path, copy)
    during = len(kept)
    while len(kept) < during + 10:
        await asyncio.sleep(0.01)
    stop.set()
    await working
    assert {each.name for each in path.parent.glob("*copy*")} == {"copy.db"}
    assert apsw.Connection(str(copy)).execute("PRAGMA integrity_check").get == "ok"
    saved = SqliteStore(copy)
    await saved.open()
    try:
        assert await complaints(saved) == []
        states = saved.engine.reader.execute("SELECT message_id, state FROM recipient").fetchall()
        assert {(number, 8) for number in before} <= set(states)
        assert len(states) < len(kept)
    finally:
        await saved.close()


async def test_a_file_that_is_there_is_left_alone(store: SqliteStore, path: Path) -> None:
    there = path.with_name("there.db")
    there.write_text("mine")
    with pytest.raises(FileExistsError, match="exists already"):
        backup(path, there)
    assert there.read_text() == "mine"


async def test_a_database_that_is_missing_is_named_and_none_is_made(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="there is no database at"):
        backup(tmp_path / "none.db", tmp_path / "copy.db")
    assert names_in(tmp_path) == []


async def test_what_is_no_database_leaves_no_copy(tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("Dear Sir, " * 1000)
    with pytest.raises(StoreUnavailable, match="file is not a database"):
        backup(tmp_path / "letter", tmp_path / "copy.db")
    assert names_in(tmp_path) == ["letter"]


async def test_only_its_owner_reads_a_copy(store: SqliteStore, path: Path) -> None:
    backup(path, path.with_name("copy.db"))
    assert path.with_name("copy.db").stat().st_mode & 0o077 == 0
