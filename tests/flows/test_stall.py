"""A query for 500 recipients does not hold the loop up for others, and a writer does not hold up a read."""

import asyncio
from pathlib import Path

import pytest

from esito.store.sqlite import SqliteStore
from esito.store.sqlite.sqlite_connection import SqliteConnection
from tests.kit.builders import account_in, links_in, message
from tests.kit.desk import desk
from tests.kit.patience import WORK, Beside, turns_of_a_loop

pytestmark = pytest.mark.anyio

LIMIT = 500
"""Thousands of turns of an empty loop: how long one query may keep the event loop from others. About 5 ms."""


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_a_read_of_500_holds_the_loop_for_less_than_five_milliseconds(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "esito.db")
    await store.open()
    account = await account_in(store, credit="1000")
    await links_in(store)
    number = await store.accept(message(account, range(33600000000, 33600000500)))
    both = Beside(WORK)
    for _ in range(200):
        with both.timed("query"):
            rows = await store.recipients_of(account.id, number)
        with both.timed("limit"):
            turns_of_a_loop(LIMIT)
        assert rows is not None
        assert len(rows) == 500
        await asyncio.sleep(0)
    await store.close()
    assert both.ratio("query", "limit") < 1


async def test_reads_go_on_while_a_transaction_is_open(tmp_path: Path) -> None:
    """Another process holds the write lock; a read still answers at once, a write waits for it."""
    store, other = SqliteStore(tmp_path / "esito.db"), SqliteStore(tmp_path / "esito.db")
    await store.open()
    await other.open()
    account = await account_in(store, credit="1000")
    await links_in(store)
    number = await store.accept(message(account))
    held = SqliteConnection.open(tmp_path / "esito.db")
    held.execute("BEGIN IMMEDIATE")
    waiting = asyncio.ensure_future(store.accept(message(account)))
    await asyncio.sleep(0.05)
    assert await store.recipients_of(account.id, number) is not None
    assert not waiting.done()
    held.execute("COMMIT")
    assert await waiting > number
    held.close()
    await other.close()
    await store.close()


def test_a_whole_request_for_500_recipients_holds_the_loop_for_less_than_five_milliseconds(tmp_path: Path) -> None:
    """From the ASGI call to the last octet nothing waits, so how long it takes is how long it holds the loop."""
    with desk(tmp_path) as api:
        number = api.send(*(f"+336{last:08d}" for last in range(500)))
        both = Beside(WORK)
        for _ in range(100):
            with both.timed("request"):
                answer = api.get("/v1/bulk-status", messageId=number)
            with both.timed("limit"):
                turns_of_a_loop(LIMIT)
            assert len(answer.json["StatutResponse_List"]) == 500
    assert both.ratio("request", "limit") < 1
