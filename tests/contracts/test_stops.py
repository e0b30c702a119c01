"""The STOP lists."""

import pytest

from esito.domain.errors import StopNotFound
from esito.store.interface.account_store import Stop
from esito.store.interface.store import Store
from tests.kit.builders import NOW, account_in

pytestmark = pytest.mark.anyio

ANNA, BEA = 33611111111, 33622222222


async def test_a_number_keeps_its_id_and_its_date_however_often_it_is_added(store: Store) -> None:
    account = await account_in(store)
    first = await store.stops.add(account.id, ANNA, at=NOW)
    second = await store.stops.add(account.id, BEA, at=NOW + 1_000)
    assert await store.stops.add(account.id, ANNA, at=NOW + 2_000) == first
    assert await store.stops.list(account.id) == [
        Stop(id=first, msisdn="+33611111111", created_at=NOW),
        Stop(id=second, msisdn="+33622222222", created_at=NOW + 1_000),
    ]
    assert await store.stopped_among(account.id, [ANNA, BEA, 1]) == {ANNA, BEA}


async def test_a_list_belongs_to_one_account(store: Store) -> None:
    mine, other = await account_in(store, "mine"), await account_in(store, "other")
    number = await store.stops.add(mine.id, ANNA, at=NOW)
    assert await store.stops.list(other.id) == []
    with pytest.raises(StopNotFound):
        await store.stops.delete(other.id, number)
    assert [one.id for one in await store.stops.list(mine.id)] == [number]


async def test_whoever_asks_is_told_at_once_whether_the_list_has_anything_on_it(store: Store) -> None:
    mine, _ = await account_in(store, "mine"), await account_in(store, "other")

    async def may_have_stops(name: bytes) -> bool:
        found = await store.account_by_key(name)
        assert found is not None
        return found.may_have_stops

    assert not await may_have_stops(b"mine")
    number = await store.stops.add(mine.id, ANNA, at=NOW)
    assert [await may_have_stops(name) for name in (b"mine", b"other")] == [True, False]
    await store.stops.delete(mine.id, number)
    assert not await may_have_stops(b"mine")


async def test_a_number_that_is_taken_off_can_be_sent_to_again(store: Store) -> None:
    account = await account_in(store)
    number = await store.stops.add(account.id, ANNA, at=NOW)
    await store.stops.delete(account.id, number)
    assert await store.stopped_among(account.id, [ANNA]) == set()
    with pytest.raises(StopNotFound):
        await store.stops.delete(account.id, number)
