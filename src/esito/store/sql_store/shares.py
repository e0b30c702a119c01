"""How much of an account's work is with the writer at a time: the rest waits, so that nobody else waits for all of it.

What waits for the writer becomes one transaction, and whoever comes next waits for its end. So what one account may
add to it is bounded.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import NamedTuple, TypeVar

T = TypeVar("T")

MOST_ROWS = 1_000
"""Recipients of one account that are kept at a time: two of the largest sends, or hundreds of small ones."""


class _Waiting(NamedTuple):
    """Who waits, and for how much."""

    turn: asyncio.Future[None]
    rows: int


class _Share:
    """What one account has with the writer."""

    __slots__ = ("rows", "waiting")

    def __init__(self) -> None:
        self.rows = 0
        self.waiting: deque[_Waiting] = deque()


class Shares:
    """Says when it is an account's turn; in the order of asking."""

    def __init__(self, most: int = MOST_ROWS) -> None:
        """`most`: rows that an account may have at a time. More than that is done alone."""
        self._most = most
        self._shares: dict[int, _Share] = {}

    async def do(self, account_id: int, rows: int, work: Callable[[], Awaitable[T]]) -> T:
        """Return what `work` returns, which is about so many rows, when it is the account's turn."""
        turn = self.take(account_id, rows)
        try:
            if turn is not None:
                await turn
            return await work()
        finally:
            self.give_back(account_id, rows, turn)

    def take(self, account_id: int, rows: int) -> asyncio.Future[None] | None:
        """Return what to wait for; None: it is the account's turn at once. Either way `give_back` ends it."""
        share = self._shares.get(account_id)
        if share is None:
            share = self._shares[account_id] = _Share()
        if not share.waiting and self._fits(share, rows):
            share.rows += rows
            return None
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        share.waiting.append(_Waiting(turn, rows))
        return turn

    def give_back(self, account_id: int, rows: int, turn: asyncio.Future[None] | None) -> None:
        """End what `take` began: with the same rows, and with what it returned."""
        share = self._shares[account_id]
        if turn is not None and (turn.cancelled() or not turn.done()):  # it never came
            share.waiting.remove(_Waiting(turn, rows))
        else:
            share.rows -= rows
        while share.waiting and self._fits(share, share.waiting[0].rows):
            following = share.waiting[0]
            if following.turn.cancelled():  # whoever waited gives it back himself
                break
            share.waiting.popleft()
            share.rows += following.rows
            following.turn.set_result(None)
        if not share.rows and not share.waiting:
            del self._shares[account_id]

    def _fits(self, share: _Share, rows: int) -> bool:
        return not share.rows or share.rows + rows <= self._most
