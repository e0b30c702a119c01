"""A process that is stopped in the middle of a transaction keeps others from their work for seconds only."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from esito.store.postgres.commit_outcome import PostgresWriter
from esito.store.postgres.postgres_connect import LOST
from tests.kit.needs import needs
from tests.kit.patience import in_time, until
from tests.kit.stores import a_place, open_at

pytestmark = [pytest.mark.anyio, needs("postgres")]


async def test_what_a_silent_process_has_locked_becomes_free(tmp_path: Path) -> None:
    async with a_place("postgres", tmp_path) as url, open_at(url) as store:
        silent = PostgresWriter(url)
        await asyncio.to_thread(silent.begin, alone=True)
        await asyncio.to_thread(silent.run, "keep_setting", name="colour", value="red")
        wanted = asyncio.ensure_future(store.keep_setting("colour", "blue"))
        observer = await asyncpg.connect(url)
        await until(lambda: observer.fetchval("SELECT 1 FROM pg_locks WHERE NOT granted"), "it was not locked out")
        await observer.close()
        async with in_time():
            await wanted

        with pytest.raises(LOST):
            await asyncio.to_thread(silent.run, "keep_setting", name="colour", value="red")
        await asyncio.to_thread(silent.rollback)
        await asyncio.to_thread(silent.close)
        assert await store.setting("colour") == "blue"
