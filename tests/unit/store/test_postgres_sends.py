"""On PostgreSQL a send waits for nothing that links, callbacks and replays write."""

import asyncio
import threading
from pathlib import Path

import asyncpg
import pytest

from esito.store.sql_connection import Connection, perform
from esito.store.sql_store.adapter import SqlStore
from tests.kit.builders import NOW, account_in, links_in, message
from tests.kit.needs import needs
from tests.kit.patience import PATIENCE, in_time, until
from tests.kit.stores import a_place, open_at

pytestmark = [pytest.mark.anyio, needs("postgres")]

SHARED = "SELECT pg_advisory_lock_shared(hashtext('esito writing'))"
"""As another process has it while it writes."""


async def test_it_is_kept_while_another_transaction_lasts(tmp_path: Path) -> None:
    begun, released = threading.Event(), threading.Event()

    def wait(_: Connection) -> None:
        begun.set()
        released.wait(PATIENCE)

    async with a_place("postgres", tmp_path) as url, open_at(url) as store:
        assert isinstance(store, SqlStore)
        account = await account_in(store)
        await links_in(store)
        busy = asyncio.ensure_future(store._engine.do(perform, wait))
        try:
            assert await asyncio.to_thread(begun.wait, PATIENCE)
            behind = asyncio.ensure_future(store.keep_setting("colour", "red"))
            async with in_time():
                number = await store.accept(message(account))
            assert not behind.done()
            assert store.depth == 1
        finally:
            released.set()
            await busy
        await behind
        assert await store.recipients_of(account.id, number)


async def test_a_replay_does_not_wait_until_nobody_writes(tmp_path: Path) -> None:
    async with a_place("postgres", tmp_path) as url, open_at(url) as store:
        account = await account_in(store)
        writing = await asyncpg.connect(url)
        await writing.execute(SHARED)
        try:
            async with in_time():
                assert await store.callbacks.replay_since(account.id, 0, NOW) == 0
        finally:
            await writing.close()


async def test_what_was_begun_is_finished_before_it_closes(tmp_path: Path) -> None:
    async with a_place("postgres", tmp_path) as url:
        async with open_at(url) as store:
            assert isinstance(store, SqlStore)
            account = await account_in(store)
            await links_in(store)
            holder = await asyncpg.connect(url)
            await holder.execute("SELECT pg_advisory_lock(hashtext('esito writing'))")
            sends = [asyncio.ensure_future(store.accept(message(account)))]
            await until(lambda: holder.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"))
            sends += [asyncio.ensure_future(store.accept(message(account))) for _ in range(19)]
            await until(lambda: store.depth == 19)
            closing = asyncio.ensure_future(store.close())
            await asyncio.sleep(0)
            await holder.close()
            await closing
        numbers = await asyncio.gather(*sends)
        async with open_at(url) as again:
            assert (await again.counts()).messages == len(set(numbers)) == 20
