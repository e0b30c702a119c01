"""Recipients by number in sorted runs: SQLite's own way to find whom a number heard from."""

import pytest

from esito.domain.reply import STOP_WINDOW_MS
from esito.store.interface.retention_store import Sweep
from esito.store.sqlite import SqliteStore
from esito.store.transactions.sent_to import RUN
from tests.kit import looking
from tests.kit.builders import NOW, account_in, complaints, message
from tests.kit.replying import furnished, keep, pushed, reply, send

pytestmark = pytest.mark.anyio


async def test_what_lies_in_sorted_runs_is_found_as_well_as_what_does_not(store: SqliteStore) -> None:
    account = await furnished(store)
    first = await send(store, account)
    for _ in range(RUN // 500):
        await store.accept(message(account, [33700000000 + n for n in range(500)], cost=0))
    last = await send(store, account, sender="36222")
    assert await store.replies.list_recipients(at=NOW) >= RUN
    assert await store.replies.list_recipients(at=NOW) == 0
    await keep(store, reply("oui"), reply("non", to="36222"))
    assert [number for number, _ in await pushed(store)] == [first, last]


async def test_runs_of_which_nothing_can_be_answered_any_more_are_forgotten(store: SqliteStore) -> None:
    account = await furnished(store)
    for _ in range(2):
        for _ in range(RUN // 500 + 1):
            await store.accept(message(account, [33700000000 + n for n in range(500)], cost=0))
        await store.replies.list_recipients(at=NOW)
    assert await looking.rows(store, "SELECT count(*) FROM sent_run") == [(2,)]
    for _ in range(10):
        await store.replies.list_recipients(at=NOW + STOP_WINDOW_MS + 1)
    assert await looking.rows(store, "SELECT id FROM sent_run") == [(2,)]
    assert await looking.rows(store, "SELECT DISTINCT run FROM sent_to") == [(2,)]


async def test_an_index_of_whom_a_number_heard_from_forgets_it_too(store: SqliteStore) -> None:
    account = await account_in(store)
    numbers = range(33611000000, 33611000500)
    for _ in range(RUN // 500):
        await store.accept(message(account, numbers, sandbox=True, cost=0))
    assert await store.replies.list_recipients(at=NOW) == RUN
    assert await store.retention.sweep(Sweep.SANDBOX, before=NOW) is not None
    while await store.retention.sweep(Sweep.SANDBOX, before=NOW):
        pass
    assert await looking.rows(store, "SELECT count(*) FROM sent_to") == [(0,)]
    assert await complaints(store) == []
