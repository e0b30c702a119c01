"""What is not copied, or not believed, and what is said then."""

import asyncio
import re
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import apsw
import pytest

from esito.domain.errors import NewerSchema
from esito.store.copy.copying import copy
from esito.store.copy.source import CopyDiffers, CopyRefused
from esito.store.copy.target import held_target
from esito.store.sqlite.sqlite_connection import MIGRATIONS
from tests.kit.builders import NOW, account_in
from tests.kit.looking import change
from tests.kit.needs import needs
from tests.kit.stores import open_at
from tests.unit.store.test_copy_source import an_empty_database, filled, meanwhile, query

pytestmark = [pytest.mark.anyio, needs("postgres")]

NEWEST = MIGRATIONS[-1][0]


@pytest.fixture
async def target() -> AsyncIterator[str]:
    async with an_empty_database() as url:
        yield url


@pytest.fixture
async def source(path: Path) -> Path:
    """A file with one account."""
    async with open_at(f"sqlite:///{path}") as store:
        await account_in(store)
    return path


class Stop(Exception):
    """Somebody pulled the plug."""


# -- the source ---------------------------------------------------------------------------------


async def test_a_file_that_is_not_there_is_named_and_not_made(path: Path, target: str) -> None:
    with pytest.raises(CopyRefused, match=rf"no database at {path}"):
        await copy(path, target)
    assert list(path.parent.iterdir()) == []


async def test_a_file_that_is_no_database_is_named(path: Path, target: str) -> None:
    path.write_bytes(b"these are not the pages you are looking for" * 100)  # noqa: ASYNC240  nothing else runs
    with pytest.raises(CopyRefused, match=r"esito\.db cannot be opened and locked: .*not a database"):
        await copy(path, target)


@pytest.mark.parametrize(
    ("version", "said"),
    [
        (NEWEST - 1, f"has schema {NEWEST - 1}, this version has {NEWEST}: run `esito migrate` on it first"),
        (NEWEST + 1, f"has schema {NEWEST + 1}, this version knows up to {NEWEST}: .* `esito migrate`"),
    ],
)
async def test_a_file_of_another_version_is_left_as_it_is(source: Path, target: str, version: int, said: str) -> None:
    connection = apsw.Connection(str(source))
    connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
    with pytest.raises(CopyRefused, match=said):
        await copy(source, target)
    assert await query(target, "SELECT 1 FROM pg_tables WHERE schemaname = 'public'") == []


async def test_a_file_that_a_server_has_open_is_not_copied(source: Path, target: str) -> None:
    async with open_at(f"sqlite:///{source}"):
        with pytest.raises(CopyRefused, match=r"esito\.db is in use: stop the server"):
            await copy(source, target)
    await copy(source, target)


async def test_nobody_uses_the_file_while_it_is_copied(source: Path, target: str) -> None:
    refused = []

    def try_it(_line: str) -> None:
        for flags in (apsw.SQLITE_OPEN_READWRITE, apsw.SQLITE_OPEN_READONLY):
            connection = apsw.Connection(str(source), flags=flags)
            with pytest.raises(apsw.BusyError):
                connection.execute("SELECT * FROM account").fetchall()
            connection.close()
            refused.append(flags)

    await copy(source, target, say=try_it)
    assert len(refused) > 10


async def test_a_source_that_has_changed_since_is_not_gone_on_with(path: Path, target: str) -> None:
    await filled(path)
    await _stop_at("recipient: ", path, target)
    async with open_at(f"sqlite:///{path}") as store:
        await change(store, "UPDATE recipient SET state = 3 WHERE message_id = 1 AND seq = 0")
    with pytest.raises(CopyRefused, match=r"source has changed since the copy began \(recipient\); empty the target"):
        await copy(path, target)


@pytest.mark.parametrize(
    ("sql", "table"),
    [
        ("UPDATE recipient SET state = 100000 WHERE message_id = 1", "recipient"),
        ("PRAGMA ignore_check_constraints = ON; UPDATE account SET credit = -1", "account"),
        ("INSERT INTO api_key (account, digest, label, created_at) VALUES (99, x'00', '', 1)", "api_key"),
    ],
)
async def test_what_postgres_does_not_take_is_named(path: Path, target: str, sql: str, table: str) -> None:
    await filled(path)
    async with open_at(f"sqlite:///{path}") as store:
        await change(store, sql)
    with pytest.raises(CopyRefused, match=f"PostgreSQL does not take the rows of table {table}: "):
        await copy(path, target)


async def test_a_text_that_is_none_is_named(path: Path, target: str) -> None:
    await filled(path)
    async with open_at(f"sqlite:///{path}") as store:
        await change(store, "UPDATE message_text SET text = CAST(x'eda0bd' AS TEXT)")
    with pytest.raises(CopyRefused, match=r"source's table message_text cannot be read: .*utf-8"):
        await copy(path, target)


# -- the target ---------------------------------------------------------------------------------


async def _stop_at(words: str, source: Path, target: str) -> None:
    def hear(line: str) -> None:
        if line.startswith(words):
            raise Stop

    with pytest.raises(Stop):
        await copy(source, target, say=hear, batch=3)


async def test_a_target_that_holds_an_account_is_left_as_it_is(source: Path, target: str) -> None:
    async with open_at(target) as store:
        await account_in(store, "mine")
    with pytest.raises(CopyRefused, match="target is in use: its table account holds something that no copy brought"):
        await copy(source, target)
    assert await query(target, "SELECT name FROM account") == [("mine",)]


async def test_a_target_that_holds_anything_else_is_refused_too(source: Path, target: str) -> None:
    async with open_at(target) as store:
        await store.keep_setting("mine", "too")
    with pytest.raises(CopyRefused, match="its table setting holds something"):
        await copy(source, target)


async def test_what_was_copied_is_not_copied_over(source: Path, target: str) -> None:
    await copy(source, target)
    with pytest.raises(CopyRefused, match="target is in use"):
        await copy(source, target)


@pytest.mark.parametrize(
    ("sql", "what"),
    [
        ("DELETE FROM stop", "fewer"),
        ("INSERT INTO stop (id, account, msisdn, created_at) VALUES (77, 1, 1, 1)", "more"),
    ],
)
async def test_a_target_that_has_changed_since_is_not_gone_on_with(
    path: Path, target: str, sql: str, what: str
) -> None:
    await filled(path)
    await _stop_at("recipient: ", path, target)
    await query(target, sql)
    with pytest.raises(CopyRefused, match=f"table stop holds {what} rows than the 2 copied so far; empty the target"):
        await copy(path, target)


async def test_a_target_of_a_newer_version_is_refused(source: Path, target: str) -> None:
    async with open_at(target):
        pass
    await query(target, "INSERT INTO schema_version VALUES (999, 999)")
    with pytest.raises(NewerSchema, match="schema 999"):
        await copy(source, target)


async def test_a_target_that_cannot_be_reached_is_said(source: Path, target: str) -> None:
    nowhere = re.sub(r":\d+/", ":1/", target)
    with pytest.raises(CopyRefused, match="target cannot be reached"):
        await copy(source, nowhere)
    with pytest.raises(CopyRefused, match=r"target cannot be reached: .*does not exist"):
        await copy(source, f"{target}_not")


async def test_who_writes_to_the_target_waits_until_the_copy_is_made(source: Path, target: str) -> None:
    async with open_at(target) as store:
        waiting = []

        def begin(line: str) -> None:
            if line.startswith("Copying"):
                making = store.create_account("late", credit=Decimal(1), key_digest=b"late", at=NOW)
                waiting.append(asyncio.ensure_future(making))

        copied = await copy(source, target, say=begin)
        assert (await waiting[0]).id > copied.tables["account"].rows


async def test_two_copies_do_not_meet(target: str) -> None:
    async with held_target(target):
        with pytest.raises(CopyRefused, match="something else writes there, perhaps another copy"):
            async with held_target(target, within=0.3):
                pass
    async with held_target(target):
        pass


# -- the comparison -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "table"),
    [
        ("UPDATE trail SET raw = raw || '\\x00'::bytea WHERE id = 1", "trail"),
        ("UPDATE account SET credit = credit + 1, granted = granted + 1 WHERE id = 1", "account"),
        ("DELETE FROM reply WHERE id = 1", "reply"),
        ("UPDATE recipient SET changed_at = changed_at + 1 WHERE message_id = 1", "recipient"),
    ],
)
async def test_a_difference_is_named_by_table(path: Path, target: str, sql: str, table: str) -> None:
    await filled(path)
    said: list[str] = []

    def alter(line: str) -> None:
        said.append(line)
        if line == "Reading the copy back.":
            meanwhile(target, sql)

    with pytest.raises(CopyDiffers, match=f"differs from the source in {table}; do not use it"):
        await copy(path, target, say=alter)
    assert [line for line in said if "in the copy" in line] == [line for line in said if line.startswith(f"{table}: ")][
        -1:
    ]


async def test_books_that_did_not_balance_do_not_balance_in_the_copy(path: Path, target: str) -> None:
    await filled(path)
    async with open_at(f"sqlite:///{path}") as store:
        await change(store, "UPDATE account SET credit = credit - 1 WHERE name = 'acme'")
        before = [sentence async for sentence in store.check()]
    assert list((await copy(path, target)).complaints) == before
    assert "account acme" in before[0]
