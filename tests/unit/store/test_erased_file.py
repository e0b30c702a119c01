"""What was erased stands nowhere in SQLite's files, not even in pages that are free."""

import asyncio
from pathlib import Path

import pytest

from esito.domain.timing import DAY_MS
from esito.store.sqlite import SqliteStore
from esito.store.sqlite.connection import connect
from tests.kit.builders import NOW, account_in, links_in, message, receipt, submitted
from tests.kit.patience import Beside

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
    account = await account_in(store)
    await links_in(store)
    await submitted(store, message(account, (ANNA,)), ["one"])
    reader = connect(tmp_path / "esito.db", read_only=True)
    both = Beside()

    async def erase(name: str) -> int:
        with both.timed(name):
            await store.retention.erase(f"+{ANNA + 1}", account_id=account.id, forget_stop=True, actor="test", at=NOW)
        return (tmp_path / "esito.db-wal").stat().st_size

    for _ in range(3):
        assert await erase("alone") == 0
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM message").fetchall()
        assert await erase("read") > 0
        reader.execute("COMMIT")
    reader.close()
    assert both.ratio("read", "alone") < 1_000  # it does not wait until the reader has ended, nor for half a minute


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
