"""Long work of requests: beside the event loop, and of no account all of it."""

import asyncio
import threading

import pytest

from esito.api.aside import Aside
from tests.kit.patience import until

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_an_account_has_one_piece_at_a_time_and_others_are_served_meanwhile() -> None:
    aside, goes_on = Aside(), threading.Event()
    running: list[int] = []
    at_once: list[int] = []

    def long_work() -> None:
        running.append(1)
        goes_on.wait()
        at_once.append(len(running))
        running.pop()

    waiting = [asyncio.ensure_future(aside.do(1, long_work)) for _ in range(20)]
    await until(lambda: running)
    assert await aside.do(2, lambda: "served") == "served"
    goes_on.set()
    await asyncio.gather(*waiting)
    assert at_once == [1] * 20


async def test_it_raises_what_the_work_raises_and_goes_on() -> None:
    aside = Aside()
    with pytest.raises(ZeroDivisionError):
        await aside.do(1, lambda: 1 // 0)
    assert await aside.do(1, lambda: 1) == 1


async def test_who_gives_up_lets_the_next_one_have_his_turn() -> None:
    aside, goes_on = Aside(), threading.Event()
    first = asyncio.ensure_future(aside.do(1, goes_on.wait))
    await asyncio.sleep(0)
    first.cancel()
    assert await aside.do(1, lambda: "next") == "next"
    goes_on.set()
