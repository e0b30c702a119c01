"""An administrator, or a limit of the server's, cancels a statement: that is no fault of what was to be kept."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from esito.domain.errors import StoreUnavailable
from tests.kit.builders import account_in
from tests.kit.needs import needs
from tests.kit.patience import until
from tests.kit.stores import a_place, open_at

pytestmark = [pytest.mark.anyio, needs("postgres")]

CANCEL = """
SELECT count(pg_cancel_backend(pid)) FROM pg_stat_activity
 WHERE datname = current_database() AND pid <> pg_backend_pid() AND wait_event_type = 'Lock'
"""


@asynccontextmanager
async def locked(url: str, table: str) -> AsyncIterator[asyncpg.Connection]:
    """Keep everybody from a table within the block; yield an administrator's connection."""
    holder, administrator = await asyncpg.connect(url), await asyncpg.connect(url)
    try:
        async with holder.transaction():
            await holder.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
            yield administrator
    finally:
        await holder.close()
        await administrator.close()


async def cancel_one(administrator: asyncpg.Connection) -> None:
    """Cancel the next statement that waits."""
    await until(lambda: administrator.fetchval(CANCEL))


async def test_what_was_cancelled_while_it_was_written_is_written_anew(tmp_path: Path) -> None:
    async with a_place("postgres", tmp_path) as url, open_at(url) as store:
        async with locked(url, "setting") as administrator:
            keeping = asyncio.ensure_future(store.keep_setting("colour", "red"))
            await cancel_one(administrator)
            await cancel_one(administrator)
        await keeping
        assert await store.setting("colour") == "red"


async def test_what_was_cancelled_before_it_began_is_written_all_the_same(tmp_path: Path) -> None:
    """A transaction that waits for its turn is cancelled: nothing of it may stay open on the connection."""
    async with a_place("postgres", tmp_path) as url, open_at(url) as store:
        holder, administrator = await asyncpg.connect(url), await asyncpg.connect(url)
        await holder.execute("SELECT pg_advisory_lock(hashtext('esito writing'))")
        keeping = asyncio.ensure_future(store.keep_setting("colour", "red"))
        await cancel_one(administrator)
        await cancel_one(administrator)
        await holder.close()
        await administrator.close()
        await keeping
        await store.keep_setting("colour", "blue")
        assert await store.setting("colour") == "blue"


async def test_a_question_that_was_cancelled_may_be_asked_again(tmp_path: Path) -> None:
    async with a_place("postgres", tmp_path) as url, open_at(url) as store:
        account = await account_in(store)

        async def in_the_loop() -> None:
            await store.recipients_of(account.id, 1)

        async def in_a_thread() -> None:
            await store.to_send(account.id)

        for ask in (in_the_loop, in_a_thread):
            async with locked(url, "recipient, message") as administrator:
                asking = asyncio.ensure_future(ask())
                while not asking.done():  # it is asked twice, on another connection the second time
                    await administrator.fetchval(CANCEL)
                    await asyncio.sleep(0.01)
                with pytest.raises(StoreUnavailable):
                    await asking
            await ask()


async def test_limits_of_the_database_for_other_programs_are_not_ours(tmp_path: Path) -> None:
    async with a_place("postgres", tmp_path) as url:
        administrator = await asyncpg.connect(url)
        name = url.rpartition("/")[2]
        await administrator.execute(f"ALTER DATABASE {name} SET statement_timeout = '50ms'")
        await administrator.execute(f"ALTER DATABASE {name} SET lock_timeout = '50ms'")
        await administrator.close()
        async with open_at(url) as store:
            async with locked(url, "setting"):
                keeping = asyncio.ensure_future(store.keep_setting("colour", "red"))
                await asyncio.sleep(1)
                assert not keeping.done()
            await keeping
