"""Long questions of one account do not stand in the way of others'."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from esito.domain.errors import StoreUnavailable
from esito.store.sql_store.long_reads import LONGEST_REST, REST, THREADS, LongReads
from tests.kit.patience import A_MOMENT, PATIENCE, until

pytestmark = pytest.mark.anyio

BIG, SMALL = 1, 2


class Slow:
    """A question whose answer takes until it may go on."""

    def __init__(self) -> None:
        self.going_on = 0
        self.may_end = threading.Event()
        self._lock = threading.Lock()

    def __call__(self, _connection: Any) -> str:
        with self._lock:
            self.going_on += 1
        assert self.may_end.wait(PATIENCE)
        with self._lock:
            self.going_on -= 1
        return "slow"


def answer(question: Callable[[Any], Any]) -> Any:
    return question(None)


@contextmanager
def slow() -> Iterator[Slow]:
    one = Slow()
    yield one
    one.may_end.set()


async def test_an_account_has_one_at_a_time_and_others_need_not_wait_for_it() -> None:
    assert THREADS > 1
    reads = LongReads(answer)
    reads.open()
    with slow() as question:
        asked = [asyncio.create_task(reads.ask(BIG, question)) for _ in range(10)]
        await until(lambda: question.going_on == 1)
        assert await reads.ask(SMALL, lambda _: "quick") == "quick"
        await asyncio.sleep(A_MOMENT)
        assert question.going_on == 1
        question.may_end.set()
        assert await asyncio.gather(*asked) == ["slow"] * 10
    await reads.close()


async def test_who_gives_up_waiting_does_not_get_a_second() -> None:
    reads = LongReads(answer)
    reads.open()
    with slow() as question:
        asked = [asyncio.create_task(reads.ask(BIG, question)) for _ in range(4)]
        await until(lambda: question.going_on == 1)
        for one in asked[:3]:
            one.cancel()
        await asyncio.wait(asked[:3])
        await asyncio.sleep(A_MOMENT)
        assert question.going_on == 1
        question.may_end.set()
        assert await asked[3] == "slow"
    await reads.close()


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize(("took", "rest"), [(0.5, 0.5 * REST), (60.0, LONGEST_REST)])
async def test_after_an_answer_an_account_rests_as_long_as_it_took(took: float, rest: float, fails: bool) -> None:
    now = 0.0
    resting: list[tuple[float, Callable[[], None]]] = []
    reads = LongReads(answer, now=lambda: now, later=lambda seconds, do: resting.append((seconds, do)))
    reads.open()
    begun = 0

    def works(_connection: Any) -> None:
        nonlocal now, begun
        begun += 1
        now += took
        if fails:
            raise ValueError

    asked = [asyncio.create_task(reads.ask(BIG, works)) for _ in range(3)]
    for number in range(1, 4):
        await until(lambda: resting)
        assert await reads.ask(SMALL, lambda _: "quick") == "quick"
        await asyncio.sleep(A_MOMENT)
        assert begun == number
        of_small = resting.pop()
        of_big = resting.pop()
        assert (of_small[0], of_big[0]) == (0.0, rest)
        of_small[1]()
        of_big[1]()
    assert [type(one) for one in await asyncio.gather(*asked, return_exceptions=True)] == (
        [ValueError if fails else type(None)] * 3
    )
    await reads.close()


async def test_what_an_account_asked_leaves_nothing_behind() -> None:
    reads = LongReads(answer)
    reads.open()

    def fails(_connection: Any) -> None:
        raise ValueError

    for account in range(100):
        with pytest.raises(ValueError, match=r"^$"):
            await reads.ask(account, fails)
    await until(lambda: not vars(reads)["_turns"])
    await reads.close()
    with pytest.raises(StoreUnavailable):
        await reads.ask(BIG, lambda _: None)
    assert vars(reads)["_turns"] == {}
