"""Leases: one holder at a time, by the clock of the store, and nobody acts under a lease that is another's."""

import asyncio

import pytest

from esito.domain.errors import Fenced
from esito.store.interface.link_store import Lease
from esito.store.interface.store import Store
from tests.kit.builders import NOW, account_in, links_in, message
from tests.kit.patience import A_MOMENT, HANGS

pytestmark = pytest.mark.anyio

LONG = HANGS
MOMENT = A_MOMENT


async def test_what_is_held_is_not_taken(store: Store) -> None:
    assert await store.leases.take("link:alpha", "one", seconds=LONG) == Lease("link:alpha", 1)
    assert await store.leases.take("link:alpha", "two", seconds=LONG) is None
    assert await store.leases.take("link:beta", "two", seconds=LONG) == Lease("link:beta", 1)


async def test_a_lease_that_ended_is_taken_under_a_greater_token(store: Store) -> None:
    first = await store.leases.take("link:alpha", "one", seconds=MOMENT)
    assert first is not None
    await asyncio.sleep(2 * MOMENT)
    assert await store.leases.take("link:alpha", "two", seconds=LONG) == Lease("link:alpha", 2)
    assert not await store.leases.renew(first, seconds=LONG)


async def test_who_renews_in_time_keeps_it_and_may_say_something(store: Store) -> None:
    moment = MOMENT
    while (lease := await store.leases.take("link:alpha", "one", seconds=moment)) is None or not (
        await store.leases.renew(lease, seconds=LONG, told="bound")
    ):
        moment *= 2  # on a slow machine it had ended before
    await asyncio.sleep(2 * moment)
    assert await store.leases.take("link:alpha", "two", seconds=LONG) is None
    (line,) = await store.leases.all()
    assert (line.name, line.holder, line.token, line.told) == ("link:alpha", "one", lease.token, "bound")
    assert 0 < line.left_ms <= LONG * 1000


async def test_what_is_given_back_is_free_at_once(store: Store) -> None:
    lease = await store.leases.take("link:alpha", "one", seconds=LONG)
    assert lease is not None
    await store.leases.give_back(lease)
    assert await store.leases.take("link:alpha", "two", seconds=LONG) == Lease("link:alpha", 2)
    await store.leases.give_back(lease)  # of him who had it before: without effect
    assert await store.leases.take("link:alpha", "one", seconds=LONG) is None


async def test_whose_lease_has_changed_hands_is_handed_no_segment(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    await store.accept(message(account))
    old = await store.leases.take("link:alpha", "one", seconds=MOMENT)
    await asyncio.sleep(2 * MOMENT)
    new = await store.leases.take("link:alpha", "two", seconds=LONG)
    with pytest.raises(Fenced):
        await store.claim("alpha", limit=10, at=NOW, lease=old)
    assert len(await store.claim("alpha", limit=10, at=NOW, lease=new)) == 1


async def test_whose_lease_has_changed_hands_leaves_what_the_next_one_submits_alone(store: Store) -> None:
    """Asleep between taking a link over and recovering it, it would make segments uncertain that are under way."""
    account = await account_in(store)
    await links_in(store, again=True)
    await store.accept(message(account))
    old = await store.leases.take("link:alpha", "one", seconds=MOMENT)
    await asyncio.sleep(2 * MOMENT)
    new = await store.leases.take("link:alpha", "two", seconds=LONG)
    assert await store.recover(NOW, link="alpha", lease=new) == 0
    assert len(await store.claim("alpha", limit=10, at=NOW, lease=new)) == 1
    with pytest.raises(Fenced):
        await store.recover(NOW, link="alpha", lease=old)
    assert await store.claim("alpha", limit=10, at=NOW, lease=new) == []


async def test_a_link_that_is_taken_over_is_recovered_and_no_other(store: Store) -> None:
    account = await account_in(store)
    numbers = await links_in(store, "alpha", "beta")
    for link in ("alpha", "beta"):
        await store.accept(message(account, link=numbers[link]))
        assert len(await store.claim(link, limit=10, at=NOW)) == 1
    assert await store.recover(NOW, link="alpha") == 1
    assert await store.recover(NOW) == 1
