"""Lists of one account that may be long: pages that go on where the one before ended, and counts that are right."""

import pytest

from esito.store.interface.store import Store
from tests.kit.builders import NOW, account_in, links_in, message

pytestmark = pytest.mark.anyio

SIZE = 4
PAGES = 5


def numbers(first: int, count: int) -> list[int]:
    return [33600000000 + first + one for one in range(count)]


async def tagged(store: Store, tag: str = "spring") -> tuple[int, list[str]]:
    """Accept messages of several sizes with a tag, among others; return the account and the tag's numbers in order."""
    account, other = await account_in(store, credit="1000"), await account_in(store, "other", credit="1000")
    await links_in(store)
    expected: list[str] = []
    for count in (1, 7, 3, 5, 4):
        msisdns = numbers(len(expected), count)
        await store.accept(message(account, msisdns, tag=tag))
        await store.accept(message(account, numbers(900, 3), tag="winter"))
        await store.accept(message(other, numbers(800, 3), tag=tag))
        expected += [f"+{one}" for one in msisdns]
    return account.id, expected


async def page_of(store: Store, account: int, page: int, tag: str = "spring") -> tuple[int, list[str]]:
    found = await store.recipients_by_tag(account, tag, page=page, size=SIZE)
    assert found is not None
    return found.total, [row[0] for row in found.rows]


@pytest.mark.parametrize("order", [range(1, PAGES + 1), range(PAGES, 0, -1), (3, 1, 4, 2, 5, 3, 4)])
async def test_pages_by_tag_are_the_same_in_whatever_order_they_are_asked_for(store: Store, order: list[int]) -> None:
    account, expected = await tagged(store)
    for page in order:
        begin = (page - 1) * SIZE
        assert await page_of(store, account, page) == (len(expected), expected[begin : begin + SIZE])


async def test_what_is_sent_meanwhile_comes_last_and_is_counted(store: Store) -> None:
    account, expected = await tagged(store)
    for page in range(1, PAGES + 1):
        await page_of(store, account, page)
    (owner,) = [one for one, _ in await store.accounts() if one.id == account]
    await store.accept(message(owner, numbers(700, 2), tag="spring"))
    expected += [f"+{one}" for one in numbers(700, 2)]
    assert await page_of(store, account, PAGES + 1) == (22, expected[20:])
    assert await page_of(store, account, PAGES + 2) == (22, [])


async def test_a_page_of_another_account_or_tag_is_not_gone_on_from(store: Store) -> None:
    account, expected = await tagged(store)
    await page_of(store, account, 1)
    (other,) = [one for one, _ in await store.accounts() if one.name == "other"]
    assert await page_of(store, other.id, 2) == (15, [f"+336000008{one}" for one in ("01", "02", "00", "01")])
    assert await page_of(store, account, 2, "winter") == (15, [f"+336000009{one}" for one in ("01", "02", "00", "01")])
    assert await page_of(store, account, 2) == (len(expected), expected[SIZE : 2 * SIZE])


async def test_what_waits_is_counted_until_it_is_claimed(store: Store) -> None:
    account, expected = await tagged(store)
    waiting = len(expected) + 15
    assert await store.to_send(account) == waiting
    (other,) = [one for one, _ in await store.accounts() if one.name == "other"]
    assert await store.to_send(other.id) == 15
    claimed = await store.claim("alpha", limit=20, at=NOW)
    assert len(claimed) == 20
    assert await store.to_send(account) + await store.to_send(other.id) == waiting + 15 - 20


async def test_a_stop_list_comes_in_pages(store: Store) -> None:
    account, other = await account_in(store), await account_in(store, "other")
    ids = []
    for number in (5, 3, 4, 1, 2):
        ids.append(await store.stops.add(account.id, 33600000000 + number, at=NOW))
        await store.stops.add(other.id, 33600000000 + number, at=NOW)
    assert await store.stops.count(account.id) == 5
    assert [one.id for one in await store.stops.list(account.id, limit=2)] == ids[:2]
    assert [one.id for one in await store.stops.list(account.id, after=ids[1], limit=2)] == ids[2:4]
    assert [one.id for one in await store.stops.list(account.id, after=ids[3], limit=2)] == ids[4:]
    await store.stops.delete(account.id, ids[2])
    assert [one.id for one in await store.stops.list(account.id, after=ids[1], limit=2)] == ids[3:]
    assert (await store.stops.count(account.id), await store.stops.count(other.id)) == (4, 5)


async def test_destinations_come_in_pages_by_their_origin(store: Store) -> None:
    account = await account_in(store, credit="1000")
    links = await links_in(store)
    for host in ("b", "a", "d", "c"):
        await store.accept(message(account, sandbox=True, url_dlr=f"https://{host}.example/dlr", link=links["alpha"]))
    await store.accept(message(account, sandbox=True, url_dlr="no url", link=links["alpha"]))
    await store.callbacks.route(NOW)
    origins = [f"https://{host}.example:443" for host in "abcd"]
    found = await store.callbacks.destinations(account.id, limit=3)
    assert [one.origin for one in found] == origins[:3]
    found = await store.callbacks.destinations(account.id, after=origins[2], limit=3)
    assert [one.origin for one in found] == origins[3:]
