"""A process that is stopped in the middle of a transaction keeps others from their work for seconds only."""

import asyncio
import time
from pathlib import Path

import pytest

from esito.store.postgres.connection import IDLE_WITHIN
from esito.store.postgres.reaching import LOST
from esito.store.postgres.transactions import WritingConnection
from tests.kit.needs import needs
from tests.kit.stores import a_place, open_at

pytestmark = [pytest.mark.anyio, needs("postgres")]


async def test_what_a_silent_process_has_locked_becomes_free(tmp_path: Path) -> None:
    async with a_place("postgres", tmp_path) as url, open_at(url) as store:
        silent = WritingConnection(url)
        await asyncio.to_thread(silent.begin, alone=True)
        await asyncio.to_thread(silent.run, "keep_setting", "colour", "red")
        began = time.monotonic()
        async with asyncio.timeout(IDLE_WITHIN * 2):
            await store.keep_setting("colour", "blue")
        assert time.monotonic() - began > 0.5, "it was not locked out"

        with pytest.raises(LOST):
            await asyncio.to_thread(silent.run, "keep_setting", "colour", "red")
        await asyncio.to_thread(silent.rollback)
        await asyncio.to_thread(silent.close)
        assert await store.setting("colour") == "blue"
