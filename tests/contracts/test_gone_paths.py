"""HTTP 410 is said of a path: what waits for that path is given up, and whatever goes elsewhere goes on."""

from collections.abc import Sequence

import pytest

from esito.domain.account import Account
from esito.domain.callback import Callback, Destination
from esito.domain.timing import DAY_MS
from esito.store.interface.store import Store
from tests.contracts.test_callbacks import claim, end, told
from tests.kit.builders import NOW, account_in

pytestmark = pytest.mark.anyio

HOST = "https://example.org"


def urls(claimed: Sequence[Callback]) -> list[str]:
    return [one.url for one in claimed]


async def place_of(store: Store, account: Account) -> Destination:
    (place,) = await store.callbacks.destinations(account.id)
    return place


async def one_gone(store: Store, account: Account, url: str = f"{HOST}/gone?secret=1", at: int = NOW) -> Callback:
    """Have one callback answered with 410."""
    await told(store, account, "DELIVRD", url=url)
    (one,) = await claim(store)
    await end(store, [one], 410, at=at)
    return one


async def test_what_waits_for_the_path_is_given_up_and_nothing_else(store: Store) -> None:
    account, other = await account_in(store), await account_in(store, "other")
    await told(store, account, "DELIVRD", numbers=3, url=f"{HOST}/gone?secret=1")
    await told(store, account, "DELIVRD", url=f"{HOST}/there")
    await told(store, other, "DELIVRD", url=f"{HOST}/gone?secret=1")
    claimed = await claim(store, most=1)
    assert urls(claimed) == [f"{HOST}/gone?secret=1"]
    await end(store, claimed, 410)
    await told(store, account, "DELIVRD", url=f"{HOST}/gone?secret=another")
    assert sorted(urls(await claim(store))) == [f"{HOST}/gone?secret=1", f"{HOST}/there"]  # the first is the other's
    dead = await store.callbacks.page(account.id, status="dead")
    assert [one.reason for one in dead] == [*["destination disabled: HTTP 410"] * 3, "given up: HTTP 410"]
    place = await place_of(store, account)
    assert (place.origin, place.disabled_at, place.failing_since) == ("https://example.org:443", None, None)
    assert (place.gone, place.due, place.dead) == (("/gone",), 1, 4)
    assert (await place_of(store, other)).gone == ()


async def test_what_is_behind_one_that_is_given_up_so_is_given_up_too(store: Store) -> None:
    account = await account_in(store)
    await one_gone(store, account)
    await told(store, account, "UNDELIV", "DELIVRD", url=f"{HOST}/gone")
    for _ in range(2):
        assert await claim(store) == []
    assert await store.callbacks.waiting() == (0, 3)


async def test_a_replay_calls_the_path_again(store: Store) -> None:
    account = await account_in(store)
    one = await one_gone(store, account)
    await one_gone(store, account, f"{HOST}/also-gone")
    await store.callbacks.replay(account.id, one.id, NOW)
    assert (await place_of(store, account)).gone == ("/also-gone",)
    await told(store, account, "DELIVRD", url=f"{HOST}/gone")
    await told(store, account, "DELIVRD", url=f"{HOST}/also-gone")
    assert sorted(urls(await claim(store))) == [f"{HOST}/gone", f"{HOST}/gone?secret=1"]


async def test_five_days_of_410_from_one_path_after_another_disable_no_destination(store: Store) -> None:
    account = await account_in(store)
    for day in range(7):
        await one_gone(store, account, f"{HOST}/{day}", at=NOW + day * DAY_MS)
    place = await place_of(store, account)
    assert (place.disabled_at, place.gone) == (None, tuple(f"/{day}" for day in range(6, -1, -1)))


@pytest.mark.slow
async def test_of_many_paths_the_newest_are_known_and_shown(store: Store) -> None:
    account = await account_in(store, credit="1000")
    for number in range(103):
        await one_gone(store, account, f"{HOST}/{number}", at=NOW + number)
    assert (await place_of(store, account)).gone == tuple(f"/{number}" for number in range(102, 92, -1))
    for number in (0, 102):
        await told(store, account, "DELIVRD", url=f"{HOST}/{number}")
    assert urls(await claim(store)) == [f"{HOST}/0"]  # long ago: it may say so again


@pytest.mark.parametrize("path", ["", "/", "/" + "\u20ac" * 1900])
async def test_a_path_may_be_empty_or_long(store: Store, path: str) -> None:
    account = await account_in(store)
    await one_gone(store, account, HOST + path)
    assert (await place_of(store, account)).gone == (path or "/",)
    await told(store, account, "DELIVRD", url=HOST + path)
    assert await claim(store) == []
