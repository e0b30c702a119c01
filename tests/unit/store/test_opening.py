"""Opening a file: the engine, the schema, and what is no database of ours."""

from pathlib import Path

import apsw
import pytest

from esito.domain.errors import NewerSchema, StoreError, StoreUnavailable, UnsafeEngine
from esito.domain.operator_habits import IdForm
from esito.store.sqlite import SqliteStore
from esito.store.sqlite.sqlite_connection import MIGRATIONS, connect, migrate, require_safe_engine
from tests.kit.builders import account_in, links_in, message, receipt, states_of, submitted

pytestmark = pytest.mark.anyio

NEWEST = MIGRATIONS[-1][0]


def pragma(connection: apsw.Connection, name: str) -> object:
    return connection.execute(f"PRAGMA {name}").get


@pytest.mark.parametrize("version", ["3.7.0", "3.40.1", "3.51.2"])
def test_an_engine_that_can_lose_commits_is_refused_by_name(version: str) -> None:
    with pytest.raises(UnsafeEngine, match=f"SQLite {version} can lose commits; 3.51.3"):
        require_safe_engine(version)


@pytest.mark.parametrize("version", ["3.51.3", "3.54.0", "4.0.0", apsw.sqlite_lib_version()])
def test_a_safe_engine_is_taken(version: str) -> None:
    require_safe_engine(version)


def test_migrations_are_numbered_from_one_without_a_gap() -> None:
    assert [number for number, _ in MIGRATIONS] == list(range(1, NEWEST + 1))


async def test_a_new_file_gets_the_newest_schema_and_the_folders_it_needs(tmp_path: Path) -> None:
    path = tmp_path / "var" / "lib" / "esito.db"
    store = SqliteStore(path)
    await store.open()
    await store.close()
    connection = connect(path, read_only=True)
    assert pragma(connection, "user_version") == NEWEST
    connection.close()


async def test_a_statement_is_planned_once_for_all_values(path: Path) -> None:
    """The engine could plan it again for each value it is given, which takes longer than most answers."""
    store = SqliteStore(path)
    await store.open()
    reader = store.engine.reader
    planned: list[object] = []

    def allow(*about: object) -> int:
        planned.append(about)
        return apsw.SQLITE_OK

    reader.bare.authorizer = allow
    for message_id in range(3):
        reader.rows("recipients_of", tuple[str, int, int, str], message_id=message_id, account=1)
        if not message_id:
            assert planned, "the engine asks nobody when it plans"
            planned.clear()
    await store.close()
    assert not planned


async def test_a_file_of_a_newer_release_is_refused_and_left_as_it_is(path: Path) -> None:
    connection = connect(path)
    connection.execute(
        f"CREATE TABLE tomorrow (x) STRICT; PRAGMA user_version = {NEWEST + 1}".replace("(x)", "(x INT)")
    )
    connection.close()
    store = SqliteStore(path)
    with pytest.raises(NewerSchema, match=f"schema {NEWEST + 1}, this release knows up to {NEWEST}"):
        await store.open()
    await store.close()
    connection = connect(path)
    assert pragma(connection, "user_version") == NEWEST + 1
    assert connection.execute("SELECT name FROM sqlite_schema").fetchall() == [("tomorrow",)]
    connection.close()


def test_a_file_is_migrated_once(path: Path) -> None:
    connection = connect(path)
    assert migrate(connection) == len(MIGRATIONS)
    assert migrate(connection) == 0
    connection.close()


LATER = "CREATE TABLE later (x int NOT NULL) STRICT"
FAULTY = "CREATE TABLE half (x int NOT NULL) STRICT; CREATE TABLE later (x int NOT NULL) STRICT"


def test_a_file_gets_the_migrations_it_lacks_each_whole_or_not_at_all(path: Path) -> None:
    connection = connect(path)
    migrate(connection)
    connection.execute("INSERT INTO setting VALUES ('colour', 'red')")
    assert migrate(connection, [*MIGRATIONS, (NEWEST + 1, LATER)]) == 1
    with pytest.raises(StoreUnavailable, match="table later already exists"):
        migrate(connection, [*MIGRATIONS, (NEWEST + 1, LATER), (NEWEST + 2, FAULTY)])
    assert pragma(connection, "user_version") == NEWEST + 1
    assert connection.execute("SELECT value FROM setting").get == "red"
    assert connection.execute("SELECT count(*) FROM sqlite_schema WHERE name IN ('later', 'half')").get == 1
    connection.close()


async def test_what_was_kept_is_there_when_the_file_is_opened_again(path: Path) -> None:
    store = SqliteStore(path)
    await store.open()
    account = await account_in(store)
    await links_in(store)
    number = await submitted(store, message(account), ["7"])
    before = await states_of(store, account, number)
    await store.close()
    store = SqliteStore(path)
    await store.open()
    assert await store.account_by_key(b"acme") is not None
    assert await states_of(store, account, number) == before
    await store.close()


def test_the_writer_flushes_every_commit_and_readers_never_wait(path: Path) -> None:
    connection = connect(path)
    assert pragma(connection, "journal_mode") == "wal"
    assert pragma(connection, "synchronous") == 2  # FULL
    connection.close()


def test_the_reader_cannot_write(path: Path) -> None:
    connect(path).close()
    connection = connect(path, read_only=True)
    with pytest.raises(apsw.ReadOnlyError):
        connection.execute("CREATE TABLE x (y INT) STRICT")
    connection.close()


async def test_a_file_that_is_no_database_is_named(path: Path) -> None:
    path.write_bytes(b"these are not the pages you are looking for" * 100)  # noqa: ASYNC240  nothing else runs
    store = SqliteStore(path)
    with pytest.raises(StoreUnavailable, match=r"cannot open .*esito\.db: .*not a database"):
        await store.open()
    await store.close()


async def test_the_database_of_another_program_is_named_and_left_as_it_is(path: Path) -> None:
    connection = connect(path)
    connection.execute("CREATE TABLE message (song TEXT) STRICT")
    connection.close()
    store = SqliteStore(path)
    with pytest.raises(StoreError, match=r"cannot migrate .*esito\.db: table message already exists"):
        await store.open()
    await store.close()
    connection = connect(path)
    assert connection.execute("SELECT name FROM sqlite_schema").fetchall() == [("message",)]
    assert pragma(connection, "user_version") == 0
    connection.close()


async def test_a_folder_in_the_place_of_the_file_is_named(path: Path) -> None:
    path.mkdir()  # noqa: ASYNC240  nothing else runs
    store = SqliteStore(path)
    with pytest.raises(StoreUnavailable, match=r"cannot open .*esito\.db"):
        await store.open()
    await store.close()


async def test_a_file_in_the_place_of_the_folder_is_named(path: Path) -> None:
    path.write_text("", encoding="ascii")  # noqa: ASYNC240  nothing else runs
    with pytest.raises(StoreUnavailable, match="cannot make"):
        await SqliteStore(path / "esito.db").open()


async def test_a_store_that_is_not_open_refuses_at_once(path: Path) -> None:
    store = SqliteStore(path)
    with pytest.raises(StoreUnavailable, match="not open"):
        await store.accounts()
    with pytest.raises(StoreUnavailable, match="not open"):
        await store.keep_setting("a", "b")
    await store.open()
    await store.keep_setting("a", "b")
    await store.close()
    await store.close()
    with pytest.raises(StoreUnavailable, match="not open"):
        await store.setting("a")
    with pytest.raises(StoreUnavailable, match="not open"):
        await store.keep_setting("a", "c")
    assert not await store.writable()


async def test_what_was_learned_of_an_operators_ids_is_remembered(path: Path) -> None:
    store = SqliteStore(path)
    await store.open()
    account = await account_in(store)
    await links_in(store)
    for number in range(0xA1F0, 0xA1F4):
        await submitted(store, message(account), [f"{number:x}"])
        await store.apply_receipts([receipt(str(number), "DELIVRD")])
    await store.close()
    store = SqliteStore(path)
    await store.open()
    await links_in(store)
    assert (await store.id_forms())["alpha"].form is IdForm.HEX_TO_DEC
    await store.close()
