"""What was erased stands nowhere in SQLite's files, not even in pages that are free."""

from pathlib import Path

import pytest

from esito.domain.timing import DAY_MS
from esito.store.sqlite import SqliteStore
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


def _octets(directory: Path) -> bytes:
    """Return all octets of a database and its log."""
    return b"".join(file.read_bytes() for file in directory.iterdir())
