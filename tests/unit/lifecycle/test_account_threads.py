"""Long work of requests: beside the event loop, and of no account all of it."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from esito.domain.account import CommercialTexts
from esito.domain.errors import TooManySegments
from esito.domain.pricing import PriceList
from esito.domain.routing import Routes
from esito.domain.timing import PushableClock
from esito.lifecycle.accept import COUNTED_AT_ONCE, Acceptance, Draft
from esito.lifecycle.account_threads import AccountThreads
from esito.store.sqlite import SqliteStore
from tests.kit.builders import account_in, links_in
from tests.kit.patience import A_MOMENT, until

pytestmark = pytest.mark.anyio


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


async def test_an_account_has_one_piece_at_a_time_and_others_are_served_meanwhile() -> None:
    threads, goes_on = AccountThreads(), threading.Event()
    running: list[int] = []
    at_once: list[int] = []

    def long_work() -> None:
        running.append(1)
        goes_on.wait()
        at_once.append(len(running))
        running.pop()

    waiting = [asyncio.ensure_future(threads.do(1, long_work)) for _ in range(20)]
    await until(lambda: running)
    assert await threads.do(2, lambda: "served") == "served"
    goes_on.set()
    await asyncio.gather(*waiting)
    assert at_once == [1] * 20


async def test_who_gives_up_waiting_does_not_get_another_thread() -> None:
    threads, goes_on = AccountThreads(), threading.Event()
    running: list[int] = []

    def long_work() -> int:
        running.append(1)
        goes_on.wait()
        return running.pop()

    waiting = [asyncio.ensure_future(threads.do(1, long_work)) for _ in range(4)]
    await until(lambda: running)
    for one in waiting[:3]:
        one.cancel()
    await asyncio.wait(waiting[:3])
    await asyncio.sleep(A_MOMENT)
    assert running == [1]
    goes_on.set()
    assert await waiting[3] == 1


async def test_it_raises_what_the_work_raises_and_goes_on() -> None:
    threads = AccountThreads()
    with pytest.raises(ZeroDivisionError):
        await threads.do(1, lambda: 1 // 0)
    assert await threads.do(1, lambda: 1) == 1


class Noting(AccountThreads):
    """Notes whose turn each long piece of work took."""

    def __init__(self) -> None:
        super().__init__()
        self.turns: list[int] = []

    async def do(self, account_id: int, work: Callable[[], Any]) -> Any:
        self.turns.append(account_id)
        return await super().do(account_id, work)


async def test_long_texts_and_calendars_take_the_turn_of_who_is_above(store: SqliteStore, clock: PushableClock) -> None:
    above = replace(await account_in(store, "above"), id=77)
    await account_in(store)
    account = replace(await store.change_profile("acme", {"commercial": CommercialTexts.STOP}), parent=above)
    threads = Noting()
    routes = Routes(prefixes={"": "alpha"}, numbers=await links_in(store))
    accepting = Acceptance(store=store, clock=clock, routes=routes, prices=PriceList(), threads=threads)
    short = Draft(account=account, texts=("ciao",), numbers=[("+33612345678", 0)])
    await accepting.accept(short)
    assert threads.turns == []
    with pytest.raises(TooManySegments):
        await accepting.accept(replace(short, texts=("x" * (COUNTED_AT_ONCE + 1),)))
    assert threads.turns == [77]
    await accepting.accept(replace(short, stop_mention=True))
    assert threads.turns == [77, 77]
