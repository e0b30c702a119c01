"""What is SQLite's own in the outbox: migration, indexes, deleted messages, and the books."""

from pathlib import Path

import pytest

from esito.domain.callback import Callback, Outcome
from esito.domain.slots import Slots
from esito.domain.timing import MINUTE_MS
from esito.store.interface.callback_store import ClaimRequest
from esito.store.sqlite import SqliteStore
from esito.store.sqlite.sqlite_connection import STATEMENTS, connect
from tests.kit import looking
from tests.kit.builders import NOW, account_in, complaints, links_in, message, receipt, submitted

pytestmark = pytest.mark.anyio

URL = "https://example.org/dlr"


async def told(store: SqliteStore, *, numbers: int = 1) -> list[Callback]:
    """Have recipients delivered; return the callbacks, claimed."""
    account = await account_in(store)
    await links_in(store)
    ids = [f"T{seq}" for seq in range(numbers)]
    await submitted(store, message(account, [33612345678 + seq for seq in range(numbers)], url_dlr=URL), ids)
    await store.apply_receipts([receipt(id_, "DELIVRD") for id_ in ids])
    await store.callbacks.route(NOW)
    return (
        await store.callbacks.claim(ClaimRequest(at=NOW, lease_ms=MINUTE_MS, slots=Slots(most=8000, usual=1000)))
    ).callbacks


def ended(one: Callback, status: int | None = 200) -> Outcome:
    return Outcome(callback=one, at=NOW, ended_at=NOW, milliseconds=1, status=status)


async def test_a_callback_whose_message_was_deleted_is_dead_wherever_it_was(path: Path) -> None:
    store = SqliteStore(path)
    await store.open()
    try:
        (due,) = await told(store)
        await store.callbacks.free_leases(NOW)
        await submitted(store, message(await account_in(store, "b"), url_dlr=URL), ["99"])
        await store.apply_receipts([receipt("99", "DELIVRD")])
        await looking.change(store, "DELETE FROM message")
        await store.callbacks.route(NOW)
        wanted = ClaimRequest(at=NOW, lease_ms=MINUTE_MS, slots=Slots())
        assert (await store.callbacks.claim(wanted)).callbacks == []
        assert await store.callbacks.waiting() == (0, 2)
        await store.callbacks.record([ended(due)])  # of one that was out when it happened
        assert await store.callbacks.waiting() == (0, 2)
    finally:
        await store.close()


async def test_whoever_deletes_a_callback_deletes_its_log(store: SqliteStore) -> None:
    await store.callbacks.record([ended(one) for one in await told(store, numbers=2)])
    connection = connect(store.engine.path)
    try:
        count = "SELECT count(*) FROM callback_attempt"
        assert connection.execute(count).get == 2
        kept = connection.execute("SELECT * FROM callback WHERE id = 1").fetchone()
        connection.execute("DELETE FROM callback WHERE id = 1")
        assert connection.execute(count).get == 1
        assert kept is not None
        # Put back, so that the books balance.
        connection.execute(f"INSERT INTO callback VALUES ({','.join('?' * len(kept))})", kept)
        connection.execute("INSERT INTO callback_attempt VALUES (1, 1, 0, 0, 200, '', '', x'')")
    finally:
        connection.close()


async def test_an_id_is_never_given_twice(store: SqliteStore) -> None:
    """What lies beyond the last id that was sorted is all that is new."""
    connection = connect(store.engine.path)
    try:
        insert = "INSERT INTO callback (message_id, seq, state, at) VALUES (1, 0, 8, 0) RETURNING id"
        assert connection.execute(insert).get == 1
        connection.execute("DELETE FROM callback")
        assert connection.execute(insert).get == 2
        connection.execute("DELETE FROM callback")
    finally:
        connection.close()


@pytest.mark.parametrize(
    "name", ["claimable", "ended_leases", "due_of_destination", "callbacks_standing", "finished_since"]
)
async def test_what_is_asked_often_reads_an_index_alone(store: SqliteStore, name: str) -> None:
    connection = connect(store.engine.path)
    try:
        bound = [1] * max(int(word) for word in "123456" if f"?{word}" in STATEMENTS[name].text)
        plan = [str(row[3]) for row in connection.execute(f"EXPLAIN QUERY PLAN {STATEMENTS[name].text}", bound)]
    finally:
        connection.close()
    assert len(plan) == 1
    assert plan[0].startswith("SEARCH callback USING COVERING INDEX callback_")


@pytest.mark.parametrize("name", ["promote_callbacks", "new_callbacks", "lease_callbacks", "hold_heads"])
async def test_no_change_looks_at_every_callback(store: SqliteStore, name: str) -> None:
    connection = connect(store.engine.path)
    try:
        bound: list[object] = [1, "[]"][: 2 if "?2" in STATEMENTS[name].text else 1]
        rows = connection.execute(f"EXPLAIN QUERY PLAN {STATEMENTS[name].text}", bound)
        plan = [str(row[3]) for row in rows]
    finally:
        connection.close()
    assert [line for line in plan if line.startswith("SCAN") and "json_each" not in line and " j " not in line] == []


@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (
            "DELETE FROM callback_attempt",
            "callback 1 counts as done, but no attempt was answered with 2xx",
        ),
        (
            "UPDATE callback SET phase = 5, reason = NULL WHERE id = 1",
            "callback 1 was given up without a reason",
        ),
        (
            "UPDATE callback SET phase = 3 WHERE id = 1",
            "callback 1 waits for an earlier one of its recipient, but none is open",
        ),
    ],
)
async def test_the_books_name_what_is_wrong_with_a_callback(path: Path, spoil: str, sentence: str) -> None:
    store = SqliteStore(path)
    await store.open()
    try:
        await store.callbacks.record([ended(one) for one in await told(store)])
        assert await complaints(store) == []
        await looking.change(store, spoil)
        assert await complaints(store) == [sentence]
    finally:
        await store.close()
