"""A schema that changes while processes of an older release work on it: expand at once, contract when they are gone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
import pytest

from esito.domain.account import Account
from esito.domain.errors import NewerSchema, StoreUnavailable
from esito.domain.states import MessageState as S
from esito.store.interface.store import Store
from esito.store.postgres import PostgresStore
from esito.store.postgres.migrating import migrate
from esito.store.postgres.postgres_connection import SETTINGS
from esito.store.postgres.postgres_statements import KNOWS, MIGRATIONS, Migration, described
from tests.kit.builders import account_in, links_in, message, receipt, states_of, submitted
from tests.kit.needs import needs
from tests.kit.patience import in_time, until
from tests.kit.postgres import drop_database, fresh_database
from tests.kit.stores import open_at

pytestmark = [pytest.mark.anyio, needs("postgres")]

EXPANDS = Migration(
    KNOWS + 1,
    0,
    "ALTER TABLE recipient ADD COLUMN note text; ALTER TABLE account ADD COLUMN note text NOT NULL DEFAULT ''",
)
CONTRACTS = Migration(KNOWS + 2, KNOWS + 1, "ALTER TABLE message DROP COLUMN reference")
LATER = Migration(KNOWS + 3, 0, "ALTER TABLE stop ADD COLUMN note text")


@pytest.fixture
async def url() -> AsyncIterator[str]:
    made = await fresh_database()
    try:
        yield made
    finally:
        await drop_database(made)


@asynccontextmanager
async def of_release(url: str, knows: int) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    """Connect as a release that knows so many migrations does; this one's processes are played by stores."""
    connection = await asyncpg.connect(url, server_settings=SETTINGS | {"application_name": f"esito {knows}"})
    try:
        yield connection
    finally:
        await connection.close()


async def one_life(store: Store, account: Account, name: str) -> None:
    """Send a message, have its receipt, and look at it."""
    number = await submitted(store, message(account), [name])
    await store.apply_receipts([receipt(name, "DELIVRD")])
    assert await states_of(store, account, number) == [S.DELIVERED]


async def test_an_older_release_works_on_while_the_schema_expands_and_can_be_started_afterwards(url: str) -> None:
    async with open_at(url) as store, of_release(url, KNOWS + 1) as newer:
        account = await account_in(store)
        await links_in(store)
        migrated = asyncio.Event()

        async def live() -> int:
            lives = 0
            while not migrated.is_set() or lives < 20:
                await one_life(store, account, f"m{lives}")
                lives += 1
            return lives

        living = asyncio.ensure_future(live())
        await asyncio.sleep(0.2)
        assert await migrate(newer, [*MIGRATIONS, EXPANDS]) == []
        migrated.set()
        assert await living >= 20
        async with open_at(url) as started_later:
            await links_in(started_later)
            await one_life(started_later, account, "later")


async def test_a_contraction_waits_for_who_knows_less_and_what_expands_does_not(url: str) -> None:
    releases = [*MIGRATIONS, EXPANDS, CONTRACTS, LATER]
    async with of_release(url, KNOWS + 3) as newer:
        async with open_at(url) as store:
            (waits,) = await migrate(newer, releases)
            assert waits.startswith(f"migration {CONTRACTS.number} waits for ")
            assert waits.endswith(f" connections of a release that knows {KNOWS} to end")
            account = await account_in(store)
            await links_in(store)
            await one_life(store, account, "m")
            assert await newer.fetch("SELECT note FROM stop") == []  # the later one was applied all the same
        await until_gone(newer)
        assert await migrate(newer, releases) == []
        assert await migrate(newer, releases) == []
    with pytest.raises(NewerSchema, match=f"schema {KNOWS + 3}, for releases that know {KNOWS + 1} or later"):
        await PostgresStore(url).open()


async def until_gone(connection: "asyncpg.Connection[asyncpg.Record]") -> None:
    """Wait until the server has noticed that everybody else has left."""
    others = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    await until(lambda: connection.fetchval(f"SELECT NOT EXISTS ({others})"))


async def test_a_neighbour_that_knows_enough_is_not_waited_for(url: str) -> None:
    async with of_release(url, KNOWS + 2) as newer, of_release(url, KNOWS + 1):
        assert await migrate(newer, [*MIGRATIONS, EXPANDS, CONTRACTS]) == []


async def test_a_process_whose_connection_is_lost_meanwhile_writes_nothing_to_a_schema_it_does_not_know(
    url: str,
) -> None:
    async with open_at(url) as store, of_release(url, KNOWS + 2) as newer:
        account = await account_in(store)
        await newer.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        await until_gone(newer)
        assert await migrate(newer, [*MIGRATIONS, EXPANDS, CONTRACTS]) == []
        with pytest.raises(StoreUnavailable, match="for releases that know"):
            await store.accept(message(account))
        assert not await store.writable()
        assert await newer.fetchval("SELECT count(*) FROM message") == 0


async def test_a_server_that_has_become_unsafe_gets_nothing_to_keep_until_it_is_safe_again(url: str) -> None:
    async with open_at(url) as store, of_release(url, KNOWS) as other:
        account = await account_in(store)
        for name, value in (("synchronous_commit", "off"), ("synchronous_commit", "on")):
            await other.execute(f"ALTER DATABASE {url.rpartition('/')[2]} SET {name} = {value}")
            await other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            await until_gone(other)
            if value == "off":
                with pytest.raises(StoreUnavailable, match="synchronous_commit = off: it may lose"):
                    await store.accept(message(account))
            else:
                assert await store.accept(message(account)) > 0


async def test_a_migration_that_must_wait_for_a_table_keeps_nobody_else_from_it(url: str) -> None:
    """A lock that is asked for stands before everybody who comes later, so it is asked for briefly, again and again."""
    async with open_at(url) as store, of_release(url, KNOWS + 1) as newer, of_release(url, KNOWS) as reader:
        account = await account_in(store)
        await links_in(store)
        reading = reader.transaction()
        await reading.start()
        await reader.fetch("SELECT count(*) FROM recipient")
        migrating_ = asyncio.ensure_future(migrate(newer, [*MIGRATIONS, EXPANDS]))
        await asyncio.sleep(0.3)
        async with in_time():
            await one_life(store, account, "m")
        assert not migrating_.done()
        await reading.rollback()
        assert await migrating_ == []


@pytest.mark.parametrize("script", ["CREATE TABLE a (b int)", "-- contracts\nDROP TABLE a", "--expands\n"])
def test_a_migration_must_say_whether_it_expands_or_contracts(script: str) -> None:
    with pytest.raises(ValueError, match="migration 7 does not say"):
        described(7, script)


def test_what_the_first_line_says_is_read() -> None:
    assert described(7, "-- expands\nx") == Migration(7, 0, "-- expands\nx")
    assert described(8, "-- contracts: needs 7\nx").needs == 7


async def test_a_new_database_gets_all_of_it_at_once_though_somebody_keeps_others_from_writing() -> None:
    """As `esito store copy` does while it has the schema made."""
    url = await fresh_database(migrated=False)
    try:
        async with of_release(url, 0) as holder, of_release(url, KNOWS + 2) as newer:
            await holder.execute("SELECT pg_advisory_lock(hashtext('esito writing'))")
            async with in_time():
                assert await migrate(newer, [*MIGRATIONS, EXPANDS, CONTRACTS]) == []
    finally:
        await drop_database(url)
