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
        self._asked: dict[int, asyncio.Future[int]] = {}

    async def of(self, account_id: int) -> int:
        """Return the account above this one, or itself. Raises StoreUnavailable.

        Who asks while the first answer is on its way gets that one, and goes on in the order of asking.
        """
        top = self._known.get(account_id)
        if top is not None:
            return top
        asked = self._asked.get(account_id)
        if asked is None:
            asked = self._asked[account_id] = asyncio.ensure_future(self._look_up(account_id))
            asked.add_done_callback(lambda _: self._asked.pop(account_id))
        return await asyncio.shield(asked)

    async def _look_up(self, account_id: int) -> int:
        top = await self._ask(lambda read: read.number("top_of", account_id)) or account_id
        if len(self._known) >= KEPT:
            self._known.clear()
        self._known[account_id] = top
        return top
