"""Backup and restore of PostgreSQL as docs/howto/operations.md tells: a copy that is verified, and any moment since."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from esito.store.interface.store import Store
from esito_cluster.postgres import PostgresServer
from esito_cluster.postgres_programs import find_programs, give_away, run
from esito_cluster.process import ProcessFailed
from tests.kit.builders import account_in, complaints, links_in, message
from tests.kit.kept import delivered
from tests.kit.needs import needs
from tests.kit.patience import in_time
from tests.kit.postgres import reachable_folder
from tests.kit.stores import open_at

pytestmark = [pytest.mark.anyio, needs("postgres")]


@pytest.fixture
async def folder() -> AsyncIterator[Path]:
    """A folder that the server's own user may enter."""
    made = reachable_folder("esito-backup-")
    yield made
    shutil.rmtree(made, ignore_errors=True)


async def sql(url: str, statement: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def account_named(store: Store) -> int:
    (found,) = await store.accounts()
    return found[0].id


async def back_up(primary: PostgresServer, into: Path, log: Path) -> None:
    """Copy the server while it works, and verify the copy."""
    programs = await find_programs()
    give_away(into.parent)
    await run(programs / "pg_basebackup", "--dbname", primary.url, "--pgdata", into, "--checkpoint=fast", log=log)
    await run(programs / "pg_verifybackup", into, log=log)


async def restore(backup: Path, node: PostgresServer, archive: Path, until: str, log: Path) -> None:
    """Put a backup where a server looks for its data, and tell it how far to go."""
    give_away(node.folder)
    await run(Path("/bin/cp"), "-a", backup, node.data, log=log)
    _aim(node.data, archive, until)


def _aim(data: Path, archive: Path, until: str) -> None:
    with (data / "postgresql.auto.conf").open("a") as file:
        file.write(f"restore_command = 'cp {archive}/%f %p'\n")
        file.write(f"recovery_target_time = '{until}'\n")
        file.write("recovery_target_action = 'promote'\narchive_mode = off\n")
    (data / "recovery.signal").touch()


async def test_a_restored_server_has_everything_up_to_the_moment(folder: Path) -> None:
    archive, log = folder / "archive", folder / "log"
    primary = PostgresServer(folder / "postgres", archive=archive)
    await primary.start()
    try:
        async with open_at(primary.url) as store:
            account = await account_in(store)
            await links_in(store)
            before = await delivered(store, account)
            await back_up(primary, folder / "backups" / "monday", log)
            after = await delivered(store, account)
            moment = str(await sql(primary.url, "SELECT clock_timestamp()::text"))
            await asyncio.sleep(0.1)
            mistake = await store.accept(message(account))
            assert await complaints(store) == []
        await sql(primary.url, "SELECT pg_switch_wal()::text")
        async with in_time():
            while await sql(primary.url, "SELECT last_archived_wal FROM pg_stat_archiver") is None:
                await asyncio.sleep(0.1)
    finally:
        await primary.stop()

    restored = PostgresServer(folder / "restored")
    await restore(folder / "backups" / "monday", restored, archive, moment, log)
    await restored.start()
    try:
        async with in_time():
            while await sql(restored.url, "SELECT pg_is_in_recovery()"):
                await asyncio.sleep(0.1)
        async with open_at(restored.url) as store:
            number = await account_named(store)
            assert [row[1] for row in await store.recipients_of(number, before) or []] == [8]
            assert [row[1] for row in await store.recipients_of(number, after) or []] == [8]
            assert await store.recipients_of(number, mistake) is None
            assert await complaints(store) == []
            (found,) = await store.accounts()
            assert await store.accept(message(found[0])) > after, "an id was given twice"
    finally:
        await restored.stop()


async def test_a_damaged_backup_is_found_before_it_is_needed(folder: Path) -> None:
    server = PostgresServer(folder / "postgres")
    await server.start()
    try:
        backup = folder / "backups" / "monday"
        await back_up(server, backup, folder / "log")
        damage(backup)
        programs = await find_programs()
        with pytest.raises(ProcessFailed, match="PG_VERSION"):
            await run(programs / "pg_verifybackup", backup, log=folder / "log")
    finally:
        await server.stop()


def damage(backup: Path) -> None:
    """Change a byte of it."""
    (backup / "PG_VERSION").write_text("14\n")
