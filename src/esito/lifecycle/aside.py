"""Work of a request that may take some milliseconds: it is done in a thread, while the event loop answers others."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar
from weakref import WeakValueDictionary

T = TypeVar("T")

THREADS = 4
"""Accounts whose long work is done at the same time."""

MANY = 200
"""Items of a list from which its work is long: each may take ten microseconds."""

STREAMS = 4
"""Long answers of one account that are written at the same time: each holds a page, however slowly it is read."""


class Aside:
    """A few threads; of one account one piece of work is done at a time, so that it has never all of them."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="esito-aside")
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        self._streams: WeakValueDictionary[int, asyncio.Semaphore] = WeakValueDictionary()

    async def do(self, account_id: int, work: Callable[[], T]) -> T:
        """Return what `work` returns, when it is the account's turn."""
        turn = self._turns.setdefault(account_id, asyncio.Lock())
        await turn.acquire()
        try:
            doing = asyncio.get_running_loop().run_in_executor(self._threads, work)
        except BaseException:
            turn.release()
            raise
        # Who gives up waiting does not end the thread's work: the turn lasts as long as that does.
        doing.add_done_callback(lambda _: turn.release())
        return await asyncio.shield(doing)

    def stream(self, account_id: int) -> asyncio.Semaphore:
        """Return what a long answer of an account is written within."""
        return self._streams.setdefault(account_id, asyncio.Semaphore(STREAMS))
