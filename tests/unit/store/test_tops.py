"""Which account stands above each is asked once, and nobody overtakes anybody who waits for it."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from esito.domain.errors import StoreUnavailable
from esito.store.sql_store.long_reads import ParentAccounts

pytestmark = pytest.mark.anyio

PARENT, CHILD, NOBODY = 1, 2, 3


class Accounts:
    """A connection that knows whose a sub-account is; it answers when it may."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.may_answer = asyncio.Event()
        self.fails = False

    def number(self, name: str, account: int) -> int:
        assert name == "top_of"
        self.asked.append(account)
        return {PARENT: PARENT, CHILD: PARENT}.get(account, 0)

    async def ask(self, question: Callable[[Any], Any], /) -> Any:
        await self.may_answer.wait()
        if self.fails:
            raise StoreUnavailable("the store is not open")
        return question(self)


async def test_it_is_asked_once_and_all_go_on_in_order() -> None:
    accounts = Accounts()
    tops, order = ParentAccounts(accounts.ask), list[int]()

    async def look(number: int) -> None:
        assert await tops.of(CHILD) == PARENT
        order.append(number)

    looking = [asyncio.create_task(look(number)) for number in range(50)]
    await asyncio.sleep(0)
    accounts.may_answer.set()
    await asyncio.gather(*looking)
    assert order == list(range(50))
    assert accounts.asked == [CHILD]
    assert [await tops.of(PARENT), await tops.of(NOBODY), await tops.of(CHILD)] == [PARENT, NOBODY, PARENT]
    assert accounts.asked == [CHILD, PARENT, NOBODY]


async def test_an_answer_that_is_there_at_once_makes_nobody_wait() -> None:
    accounts = Accounts()
    accounts.may_answer.set()
    first = ParentAccounts(accounts.ask).of(CHILD)
    with pytest.raises(StopIteration) as ended:
        first.send(None)
    assert ended.value.value == PARENT


async def test_who_gives_up_or_fails_leaves_it_to_the_next() -> None:
    accounts = Accounts()
    tops = ParentAccounts(accounts.ask)
    looking = [asyncio.create_task(tops.of(CHILD)) for _ in range(3)]
    await asyncio.sleep(0)
    looking[0].cancel()
    accounts.may_answer.set()
    assert await asyncio.gather(*looking[1:]) == [PARENT, PARENT]
    accounts.fails = True
    failing = [asyncio.create_task(tops.of(NOBODY)) for _ in range(3)]
    found = await asyncio.gather(*failing, return_exceptions=True)
    assert [type(one) for one in found] == [StoreUnavailable] * 3
    accounts.fails = False
    assert await tops.of(NOBODY) == NOBODY
