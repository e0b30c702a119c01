"""Long work of a request: done in a thread, while the event loop answers others, one piece per account at a time."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar
from weakref import WeakValueDictionary

T = TypeVar("T")

THREADS = 4
"""Accounts whose long work is done at the same time."""

MANY = 200
"""Items from which the work on a list is long: each may take ten microseconds."""

STREAMS = 4
"""Streamed answers of one account at the same time: each holds a page, however slowly it is read."""


class AccountThreads:
    """A few threads, of which no account ever has more than one."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="esito-aside")
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()
        self._streams: WeakValueDictionary[int, asyncio.Semaphore] = WeakValueDictionary()

    async def do(self, account_id: int, work: Callable[[], T]) -> T:
        """Run `work` in a thread when it is the account's turn; return its result."""
        turn = self._turns.setdefault(account_id, asyncio.Lock())
        await turn.acquire()
        try:
            doing = asyncio.get_running_loop().run_in_executor(self._threads, work)
        except BaseException:
            turn.release()
            raise
        # Cancelling the caller does not end the thread's work: the turn lasts as long as that does.
        doing.add_done_callback(lambda _: turn.release())
        return await asyncio.shield(doing)

    def stream(self, account_id: int) -> asyncio.Semaphore:
        """Return the semaphore within which an account's answer is streamed."""
        return self._streams.setdefault(account_id, asyncio.Semaphore(STREAMS))
