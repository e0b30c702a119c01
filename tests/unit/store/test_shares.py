"""However much one account hands over at a time, others wait for a bounded part of it."""

import asyncio
from pathlib import Path

import pytest

from esito.store.interface.store import Store
from esito.store.sql_store.shares import Shares
from tests.kit.builders import account_in, links_in, message
from tests.kit.patience import until
from tests.kit.stores import KINDS, a_store

pytestmark = pytest.mark.anyio


async def test_what_fits_is_done_at_once() -> None:
    shares = Shares(10)
    assert [shares.take(1, 5), shares.take(1, 5), shares.take(2, 10)] == [None] * 3


async def test_what_does_not_fit_waits_for_its_turn_in_order() -> None:
    shares = Shares(10)
    assert shares.take(1, 8) is None
    waiting = [shares.take(1, rows) for rows in (8, 1, 1)]
    assert all(one is not None and not one.done() for one in waiting)
    shares.give_back(1, 8, None)
    assert [one is not None and one.done() for one in waiting] == [True, True, True]


async def test_what_is_more_than_all_is_done_alone() -> None:
    shares = Shares(10)
    assert shares.take(1, 500) is None
    after = shares.take(1, 1)
    assert after is not None
    shares.give_back(1, 500, None)
    assert after.done()


async def test_who_goes_away_keeps_nobody_waiting() -> None:
    shares = Shares(10)
    assert shares.take(1, 10) is None
    gone, given, stays = shares.take(1, 10), shares.take(1, 10), shares.take(1, 10)
    assert gone is not None
    assert given is not None
    assert stays is not None
    gone.cancel()
    shares.give_back(1, 10, gone)
    shares.give_back(1, 10, None)
    assert given.done()
    given_too_late = given
    shares.give_back(1, 10, given_too_late)  # cancelled when it had its turn already
    assert stays.done()
    shares.give_back(1, 10, stays)
    assert shares.take(1, 10) is None  # all is as in the beginning


async def test_a_turn_that_was_cancelled_and_not_yet_given_back_is_passed_on() -> None:
    shares = Shares(10)
    assert shares.take(1, 10) is None
    gone, stays = shares.take(1, 10), shares.take(1, 10)
    assert gone is not None
    assert stays is not None
    gone.cancel()
    shares.give_back(1, 10, None)
    assert not stays.done()
    shares.give_back(1, 10, gone)
    assert stays.done()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_send_does_not_wait_for_all_that_another_account_sends(kind: str, tmp_path: Path) -> None:
    async with a_store(kind, tmp_path) as store:
        big, good = await account_in(store, "big", "1000000"), await account_in(store, "good")
        await links_in(store)
        many = tuple(range(33_611_000_000, 33_611_000_500))
        sent: list[str] = []

        async def send(store: Store, name: str, *, to: tuple[int, ...]) -> None:
            await store.accept(message(big if name == "big" else good, to))
            sent.append(name)

        tasks = [asyncio.create_task(send(store, "big", to=many)) for _ in range(20)]
        await until(lambda: "big" in sent)
        tasks.append(asyncio.create_task(send(store, "good", to=many[:1])))
        await asyncio.gather(*tasks)
        assert sent.index("good") < len(sent) - 4
