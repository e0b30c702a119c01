"""What runs in the background never holds up sends for long: few rows to a transaction, however many there are."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from esito.domain.slots import Slots
from esito.domain.states import MessageState
from esito.domain.timing import DAY_MS, VALIDITY_MS
from esito.store.interface.callback_store import ClaimedCallbacks, ClaimRequest
from esito.store.interface.retention_store import BEGINNING, Sweep, SweepPosition
from esito.store.interface.store import Store
from esito.store.sql_connection import Connection
from tests.kit.builders import NOW, accepted, account_in, expire, links_in, message, receipt, states_of
from tests.kit.looking import change, rows

pytestmark = pytest.mark.anyio

MOST = 1_300
"""Rows that one transaction may change: some tens of milliseconds."""


class Watched:
    """Notes how many rows each piece of work of a store's writer changes."""

    def __init__(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        over_tables: Any = getattr(store, "inner", store)
        engine = over_tables.engine
        do: Callable[..., Awaitable[Any]] = engine.do
        self.changed: list[int] = []

        def watched(handler: Callable[[Connection, Sequence[Any]], Sequence[Any]], payload: Any, **how: Any) -> Any:
            def counted(connection: Connection, payloads: Sequence[Any]) -> Sequence[Any]:
                before = connection.changed
                results = handler(connection, payloads)
                self.changed.append(connection.changed - before)
                return results

            return do(counted, payload, **how)

        monkeypatch.setattr(engine, "do", watched)

    def small(self) -> int:
        """Return how many transactions there were, none of them large."""
        assert max(self.changed) <= MOST
        return len(self.changed)


async def many(
    store: Store, *, messages: int = 6, submit: bool = True, url: str | None = "https://example.org/"
) -> list[int]:
    """Accept messages of 500 recipients; let all of them be submitted."""
    account = await account_in(store)
    await links_in(store)
    new = message(account, [33600000000 + seq for seq in range(500)], cost=0, url_dlr=url)
    numbers = [await store.accept(new) for _ in range(messages)]
    while submit and (claimed := await store.claim("alpha", limit=500, at=NOW)):
        await store.record_answers("alpha", [accepted(one, f"{one.ref.message_id}-{one.ref.seq}") for one in claimed])
    return numbers


@pytest.mark.parametrize(("submit", "state"), [(True, MessageState.EXPIRED), (False, MessageState.KO)])
async def test_recipients_expire_in_small_transactions(
    store: Store, monkeypatch: pytest.MonkeyPatch, submit: bool, state: MessageState
) -> None:
    numbers = await many(store, submit=submit)
    watched = Watched(store, monkeypatch)
    await expire(store, NOW + VALIDITY_MS + 2_000)
    assert watched.small() >= len(numbers)
    account = next(account for account, _ in await store.accounts())
    for number in numbers:
        assert set(await states_of(store, account, number)) == {state}


async def test_messages_of_one_recipient_share_a_transaction(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    account = await account_in(store)
    await links_in(store)
    for _ in range(250):
        await store.accept(message(account, cost=0))
    watched = Watched(store, monkeypatch)
    await expire(store, NOW + VALIDITY_MS + 2_000)
    assert watched.small() <= 5


async def test_what_is_old_goes_in_small_transactions(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = await many(store, messages=3, url=None)
    delivered = [receipt(f"{number}-{seq}", "DELIVRD") for number in numbers for seq in range(500)]
    for start in range(0, len(delivered), 500):
        await store.apply_receipts(delivered[start : start + 500])
    await expire(store, NOW + VALIDITY_MS + 2_000)
    watched = Watched(store, monkeypatch)
    for kind in Sweep:
        beyond: SweepPosition | None = BEGINNING
        while beyond is not None:
            beyond = await store.retention.sweep(kind, before=NOW + 99 * DAY_MS, beyond=beyond)
    assert watched.small() > len(Sweep)
    assert (await store.counts()).messages == 0


async def test_a_number_is_erased_in_small_transactions(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    account = await account_in(store)
    await links_in(store)
    for _ in range(8):
        await store.accept(message(account, [33612345678] * 100, cost=0))
    await expire(store, NOW + VALIDITY_MS + 2_000)
    unknown = [receipt(f"unknown-{number}", "DELIVRD", addresses=("33612345678", "36111")) for number in range(600)]
    await store.apply_receipts([one._replace(raw=b"33612345678") for one in unknown])
    watched = Watched(store, monkeypatch)
    erased = await store.retention.erase(
        "+33612345678", account_id=None, forget_stop=False, actor="test", at=NOW + 9 * DAY_MS
    )
    assert erased.recipients == 800
    assert max(watched.changed) <= 200
    assert await rows(store, "SELECT 1 FROM recipient WHERE msisdn <> 0") == []
    assert await rows(store, "SELECT 1 FROM unmatched WHERE source_addr <> ''") == []


async def test_callbacks_for_disabled_destinations_are_given_up_in_small_transactions(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    account = await account_in(store)
    await links_in(store)
    for host in range(4):
        new = message(
            account, [33600000000 + seq for seq in range(400)], cost=0, url_dlr=f"https://host{host}.example/"
        )
        await store.accept(new)
    await expire(store, NOW + VALIDITY_MS + 2_000)
    while await store.callbacks.route(NOW, limit=1000):
        pass
    await change(store, "UPDATE destination SET disabled_at = 1, reason = 'gone'")
    watched = Watched(store, monkeypatch)
    found = ClaimedCallbacks(callbacks=[], next_at=NOW)
    while found.next_at is not None:
        found = await store.callbacks.claim(ClaimRequest(at=NOW, lease_ms=1, slots=Slots()))
        assert found.callbacks == []
    assert max(watched.changed) <= 700
    assert await rows(store, "SELECT 1 FROM callback WHERE phase <> 5") == []


async def test_a_queue_is_taken_back_in_small_transactions(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    numbers = await many(store, submit=False)
    watched = Watched(store, monkeypatch)
    while (await store.sending.take_back_queued("acme", at=NOW)).messages:
        pass
    assert watched.small() == len(numbers)
