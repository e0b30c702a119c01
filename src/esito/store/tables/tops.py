"""Which account stands above each: what is bounded of one is bounded of all below it together."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol, TypeVar

from esito.store.tables.connection import Connection

Answer = TypeVar("Answer")

KEPT = 65_536
"""Accounts of which it is remembered: it never changes."""


class Asking(Protocol):
    """Answers a short question."""

    def __call__(self, question: Callable[[Connection], Answer], /) -> Awaitable[Answer]:
        """Return what the question returns. Raises StoreUnavailable."""


class Tops:
    """Remembers which account stands above each."""

    def __init__(self, ask: Asking) -> None:
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
            top = await self._ask(lambda read: read.number("top_of", account=account_id)) or account_id
            if len(self._known) >= KEPT:
                self._known.clear()
            self._known[account_id] = top
            return top
        finally:
            del self._asked[account_id]
            asked.set_result(None)
