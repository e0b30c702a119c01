"""Questions about one account that may read much: a few threads are kept for them, and no account has all of those."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from esito.domain.errors import StoreUnavailable
from esito.store.tables.connection import Connection

Answer = TypeVar("Answer")
Answering = Callable[[Callable[[Connection], Any]], Any]
"""Answers a question in the thread that calls it."""

THREADS = 4
"""Long questions that are answered at the same time."""

OF_AN_ACCOUNT = 2
"""Of those, how many may be one account's; what else it asks waits."""


class _Turn:
    """Who waits for an account's long reads, and how many go on."""

    __slots__ = ("free", "users")

    def __init__(self) -> None:
        self.free = asyncio.Semaphore(OF_AN_ACCOUNT)
        self.users = 0


class LongReads:
    """Hands long questions to threads."""

    def __init__(self, answer: Answering) -> None:
        self._answer = answer
        self._threads: ThreadPoolExecutor | None = None
        self._turns: dict[int, _Turn] = {}

    def open(self) -> None:
        """Begin."""
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="esito-long-read")

    async def close(self) -> None:
        """Answer what was asked, and nothing more; idempotent."""
        threads, self._threads = self._threads, None
        if threads is not None:
            await asyncio.to_thread(threads.shutdown)

    async def ask(self, account_id: int, question: Callable[[Connection], Answer]) -> Answer:
        """Answer when it is the account's turn. Raises StoreUnavailable while the store is closed."""
        turn = self._turns.get(account_id)
        if turn is None:
            turn = self._turns[account_id] = _Turn()
        turn.users += 1
        try:
            await turn.free.acquire()
        except BaseException:
            self._leave(account_id, turn)
            raise
        if self._threads is None:
            self._go_on(account_id, turn)
            raise StoreUnavailable("the store is not open")
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[Answer] = loop.run_in_executor(self._threads, self._answer, question)
        # Who gives up waiting does not end the thread's work: the turn lasts as long as that does.
        answer.add_done_callback(lambda _: self._go_on(account_id, turn))
        return await asyncio.shield(answer)

    def _go_on(self, account_id: int, turn: _Turn) -> None:
        turn.free.release()
        self._leave(account_id, turn)

    def _leave(self, account_id: int, turn: _Turn) -> None:
        turn.users -= 1
        if not turn.users:
            del self._turns[account_id]
