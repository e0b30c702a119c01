"""Partitions by ranges of message ids: made before an id of theirs is used, dropped when all in them is too old."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from esito.config import RetentionSettings
from esito.domain.timing import DAY_MS
from esito.lifecycle.retain import RetentionJob
from esito.store.interface.retention_store import Sweep
from esito.store.interface.store import Store
from esito.store.postgres.commit_outcome import PostgresWriter
from esito.store.transactions import accepting
from esito.store.transactions.accepting import IdBlocks
from tests.kit.builders import NOW, accepted, account_in, complaints, links_in, message, receipt, submitted
from tests.kit.desk import Standing
from tests.kit.kept import delivered
from tests.kit.needs import needs
from tests.kit.stores import a_place, open_at

pytestmark = [pytest.mark.anyio, needs("postgres")]

DAYS = RetentionSettings(text_days=7, number_days=30, status_days=90)
LATER = NOW + 80 * DAY_MS


@pytest.fixture
async def url(tmp_path: Path) -> AsyncIterator[str]:
    async with a_place("postgres", tmp_path) as found:
        yield found


async def sql(url: str, statement: str, *words: object) -> list[Any]:
    connection = await asyncpg.connect(url)
    try:
        return list(await connection.fetch(statement, *words))
    finally:
        await connection.close()


async def aged(store: Store, days: float) -> None:
    """Look through everything as if so many days had passed."""
    at = NOW + int(days * DAY_MS)
    await store.expire(at)
    await RetentionJob(store=store, clock=Standing(at), settings=DAYS, pause=0).look()


async def next_span(url: str) -> None:
    """Have ids come from the next partition, as if it had been so for long."""
    await sql(url, "SELECT setval('message_block', 10000, false)")


async def old_and_young(url: str, store: Store) -> tuple[int, int]:
    """Deliver a message in the first partition and, much later, one in the second; return their ids."""
    account = await account_in(store, credit="10")
    await links_in(store)
    early = receipt("early-1", "DELIVRD")  # comes before the answer to its submit_sm, and is matched by that
    new = message(account, (33600000001,))
    number = await store.accept(new)
    (claimed,) = await store.claim("alpha", limit=10, at=NOW)
    await store.apply_receipts([early])
    await store.record_answers("alpha", [accepted(claimed, "early-1", at=NOW + 1_000)])
    await delivered(store, account, 33600000002, 33600000003)
    await next_span(url)
    async with open_at(url) as other:  # a process that has no block of ids yet
        await links_in(other)
        young = replace(message(account, (33600000004,)), created_at=LATER, due_at=LATER)
        second = await submitted(other, young, ["young"], at=LATER)
        await other.apply_receipts([receipt("young", "DELIVRD", at=LATER + 5_000)])
    await sql(url, "UPDATE span SET opened_at = now() - interval '2 days'")
    return number, second


async def test_a_partition_goes_when_all_in_it_is_too_old(url: str) -> None:
    async with open_at(url) as store:
        first, second = await old_and_young(url, store)
        assert second == 10_000_001
        await aged(store, 89)
        assert await sql(url, "SELECT to_regclass('recipient_0') IS NOT NULL AS there") == [(True,)]

        await aged(store, 90)
        for table in ("message", "message_text", "recipient", "segment", "trail"):
            assert await sql(url, "SELECT to_regclass($1)::text", f"{table}_0") == [(None,)], table
        assert await sql(url, "SELECT id FROM message") == [(second,)]
        assert await sql(url, "SELECT DISTINCT message_id FROM trail") == [(second,)]
        assert await sql(url, "SELECT retired FROM account") == [(3 * 45_000,)]
        assert await complaints(store) == []
        assert await store.recipients_of(1, first) is None

        # Its operator speaks of it once more: kept, and nobody's.
        settled = await store.apply_receipts([receipt("early-1", "DELIVRD")])
        assert settled.verdicts == {"orphan": 1}
        assert await complaints(store) == []


@pytest.mark.parametrize(
    "obstacle",
    [
        "UPDATE message SET check_at = 1 WHERE id = 1",
        "UPDATE message SET due_at = due_at + 86400000 WHERE id = 1",
        "UPDATE span SET opened_at = now()",
        "INSERT INTO callback (message_id, at, seq, state) VALUES (1, 0, 0, 8)",
    ],
)
async def test_a_partition_with_something_to_keep_stays(url: str, obstacle: str) -> None:
    async with open_at(url) as store:
        await old_and_young(url, store)
        await aged(store, 31)
        await sql(url, obstacle)
        await store.retention.sweep(Sweep.STATUSES, before=NOW + 1)
        assert await sql(url, "SELECT to_regclass('recipient_0') IS NOT NULL") == [(True,)]


async def test_who_reads_a_partition_is_not_waited_for(url: str) -> None:
    async with open_at(url) as store:
        await old_and_young(url, store)
        await aged(store, 31)
        reader = await asyncpg.connect(url)
        await reader.execute("BEGIN; SELECT count(*) FROM recipient_0")
        await store.retention.sweep(Sweep.STATUSES, before=NOW + 1)
        assert await sql(url, "SELECT retired, to_regclass('recipient_0') IS NOT NULL FROM account") == [(0, True)]
        assert await complaints(store) == []
        await reader.close()
        await store.retention.sweep(Sweep.STATUSES, before=NOW + 1)
        assert await sql(url, "SELECT to_regclass('recipient_0') IS NOT NULL") == [(False,)]
        assert await complaints(store) == []


async def test_a_partition_that_was_filled_in_a_day_is_waited_for_and_a_slow_one_is_not(url: str) -> None:
    async with open_at(url) as store:
        first, _ = await old_and_young(url, store)
        await sql(url, "UPDATE message SET due_at = due_at + 43200000 WHERE id = 2")  # half a day after the first
        await aged(store, 90)
        assert await store.recipients_of(1, first) is not None, "it went before its partition"
        await sql(url, "UPDATE span SET opened_at = opened_at - interval '9 days' WHERE number = 0")
        await aged(store, 90)
        assert await store.recipients_of(1, first) is None
        assert await sql(url, "SELECT to_regclass('recipient_0') IS NOT NULL") == [(True,)]


async def test_a_partition_that_cannot_go_is_not_waited_for_longer_than_two_days(url: str) -> None:
    async with open_at(url) as store:
        first, _ = await old_and_young(url, store)
        await sql(url, "UPDATE message SET check_at = 9000000000000000 WHERE id = 2")
        await aged(store, 91)
        assert await store.recipients_of(1, first) is not None
        await aged(store, 93)
        assert await store.recipients_of(1, first) is None
        assert await sql(url, "SELECT id FROM message WHERE id < 10000000") == [(2,)]


async def test_ids_of_a_partition_whose_making_was_undone_are_not_used(url: str) -> None:
    def begin(connection: PostgresWriter, ids: IdBlocks) -> int:
        connection.begin(alone=False)
        ids.resume(connection)
        return ids.take(connection)

    await next_span(url)
    connection, ids = PostgresWriter(url), IdBlocks()
    assert await asyncio.to_thread(begin, connection, ids) == 10_000_001
    await asyncio.to_thread(connection.rollback)
    assert await sql(url, "SELECT max(number) FROM span") == [(0,)]

    assert await asyncio.to_thread(begin, connection, ids) == 10_001_001
    await asyncio.to_thread(connection.commit)
    assert await sql(url, "SELECT max(number) FROM span") == [(1,)]
    assert await asyncio.to_thread(begin, connection, ids) == 10_001_002
    await asyncio.to_thread(connection.rollback)
    await asyncio.to_thread(connection.close)


async def test_a_block_of_ids_is_not_kept_for_days(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_at(url) as store:
        account = await account_in(store)
        await links_in(store)
        assert await store.accept(message(account)) == 1
        assert await store.accept(message(account)) == 2
        monkeypatch.setattr(accepting, "monotonic", lambda: 1e12)
        assert await store.accept(message(account)) == 1001
