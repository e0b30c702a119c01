"""Questions about one account that may read much: a few threads are kept for them, and no account has all of those.

An account's are answered one after the other, with a rest between two: whatever it asks, others have the processor for
half of the time.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Generic, Protocol, TypeVar

from esito.domain.errors import StoreUnavailable
from esito.store.sql_connection import Connection
from esito.store.transactions.accounts import account_on_top

Answer = TypeVar("Answer")

Later = Callable[[float, Callable[[], None]], object]

THREADS = 4
"""Long questions that are answered at the same time."""

REST = 1.0
"""Rest after an answer, as a share of the time that it took."""

LONGEST_REST = 2.0
"""Seconds."""


class Answering(Protocol):
    """Answers a question in the thread that calls it."""

    def __call__(self, question: Callable[[Connection], Answer], /) -> Answer:
        """Return what the question returns. Raises StoreUnavailable."""


class _Turn:
    """Who waits for an account's long reads, and whether one goes on."""

    __slots__ = ("free", "users")

    def __init__(self) -> None:
        self.free = asyncio.Lock()
        self.users = 0


class _Timed(Generic[Answer]):
    """A question that is answered once, and knows how long that took."""

    def __init__(self, answer: Answering, question: Callable[[Connection], Answer], now: Callable[[], float]) -> None:
        self._answer = answer
        self._question = question
        self._now = now
        self.rest = 0.0
        """Seconds in which the account is to ask nothing more."""

    def __call__(self) -> Answer:
        began = self._now()
        try:
            return self._answer(self._question)
        finally:
            self.rest = min((self._now() - began) * REST, LONGEST_REST)


class LongReads:
    """Hands long questions to threads."""

    def __init__(
        self, answer: Answering, *, now: Callable[[], float] = time.monotonic, later: Later | None = None
    ) -> None:
        """`later` does something after so many seconds; by default the event loop does."""
        self._answer = answer
        self._now = now
        self._later = later
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
        later = self._later or loop.call_later
        timed: _Timed[Answer] = _Timed(self._answer, question, self._now)
        answer: asyncio.Future[Answer] = loop.run_in_executor(self._threads, timed)
        # Who gives up waiting does not end the thread's work: the turn lasts as long as that does, and the rest.
        answer.add_done_callback(lambda _: later(timed.rest, lambda: self._go_on(account_id, turn)))
        return await asyncio.shield(answer)

    def _go_on(self, account_id: int, turn: _Turn) -> None:
        turn.free.release()
        self._leave(account_id, turn)

    def _leave(self, account_id: int, turn: _Turn) -> None:
        turn.users -= 1
        if not turn.users:
            del self._turns[account_id]


TOPS_KEPT = 65_536
"""Accounts of which it is remembered: it never changes."""


class ShortAnswers(Protocol):
    """Answers a short question."""

    def __call__(self, question: Callable[[Connection], Answer], /) -> Awaitable[Answer]:
        """Return what the question returns. Raises StoreUnavailable."""


class ParentAccounts:
    """Remembers which account stands above each."""

    def __init__(self, ask: ShortAnswers) -> None:
        self._ask = ask
        self._known: dict[int, int] = {}
        self._asked: dict[int, asyncio.Future[None]] = {}

    async def of(self, account_id: int) -> int:
        """Return the account above this one, or itself. Raises StoreUnavailable.

        Who asks while the answer is on its way waits for it, and all go on in the order of asking.
        """
        while (top := self._known.get(account_id)) is None:
            asked = self._asked.get(account_id)
            if asked is None:
                return await self._look_up(account_id)
            await asyncio.wait({asked})
        return top

    async def _look_up(self, account_id: int) -> int:
        asked = self._asked[account_id] = asyncio.get_running_loop().create_future()
        try:
            top = await self._ask(lambda read: account_on_top(read, account_id))
            if len(self._known) >= TOPS_KEPT:
                self._known.clear()
            self._known[account_id] = top
            return top
        finally:
            del self._asked[account_id]
            asked.set_result(None)
