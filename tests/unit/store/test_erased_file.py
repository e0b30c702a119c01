"""What was erased stands nowhere in SQLite's files, not even in pages that are free."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from esito.domain.timing import DAY_MS
from esito.store.sqlite import SqliteStore
from esito.store.sqlite.sqlite_connection import connect
from tests.kit.builders import NOW, account_in, links_in, message, receipt, submitted

pytestmark = pytest.mark.anyio

ANNA = 33611111111


async def test_an_erased_number_is_nowhere_in_the_file(store: SqliteStore, tmp_path: Path) -> None:
    account = await account_in(store)
    await links_in(store)
    await submitted(store, message(account, (ANNA,), text="a very private text"), ["one"])
    await store.apply_receipts([receipt("one", "DELIVRD")._replace(raw=b"to 33611111111 text:a very private")])
    await store.retention.erase(f"+{ANNA}", account_id=None, forget_stop=False, actor="test", at=NOW + DAY_MS)
    await store.close()
    octets = _octets(tmp_path)
    assert b"DELIVRD" in octets
    assert b"33611111111" not in octets
    assert b"a very private" not in octets
    assert ANNA.to_bytes(6, "big") not in octets


async def test_the_log_is_not_emptied_at_the_cost_of_those_who_write(store: SqliteStore, tmp_path: Path) -> None:
    account = await account_in(store, credit="1000000")
    await links_in(store)
    await submitted(store, message(account, (ANNA,)), ["one"])

    def erase() -> Coroutine[Any, Any, object]:
        return store.retention.erase(f"+{ANNA + 1}", account_id=account.id, forget_stop=True, actor="test", at=NOW)

    await erase()
    assert (tmp_path / "esito.db-wal").stat().st_size == 0
    reader = connect(tmp_path / "esito.db", read_only=True)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM message").fetchall()
    erasing, written = asyncio.create_task(erase()), 0
    while not erasing.done():
        await store.accept(message(account, (ANNA,)))
        written += 1
    await erasing  # it has not waited until the reader ends
    assert (tmp_path / "esito.db-wal").stat().st_size > 0
    reader.close()
    assert written > 2  # who waits for a reader with the lock of the writer lets one through, after half a minute


async def test_erasures_at_a_time_share_the_emptying_of_the_log(store: SqliteStore, tmp_path: Path) -> None:
    account = await account_in(store)
    await asyncio.gather(
        *(
            store.retention.erase(f"+{ANNA + place}", account_id=account.id, forget_stop=True, actor="test", at=NOW)
            for place in range(20)
        )
    )
    assert (tmp_path / "esito.db-wal").stat().st_size == 0


def _octets(directory: Path) -> bytes:
    """Return all octets of a database and its log."""
    return b"".join(file.read_bytes() for file in directory.iterdir())
