"""What the parts of the store share: the engine, and the ways to hand it work."""

from collections.abc import Callable
from typing import TypeVar

from esito.store.engine import Engine, WritePriority
from esito.store.sql_connection import Act, Connection, Request, Result, Transaction, perform

_Answer = TypeVar("_Answer")


class StorePart:
    """A part of the store with tables of its own; its protocol stands in `store/interface`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def _ask(self, question: Callable[[Connection], _Answer]) -> _Answer:
        """Ask a short question. Raises StoreUnavailable while the store is closed."""
        return await self._engine.ask(question)

    async def _ask_long(self, account_id: int, question: Callable[[Connection], _Answer]) -> _Answer:
        """Ask about one account what may read much. Raises StoreUnavailable while the store is closed."""
        return await self._engine.ask_long(account_id, question)

    async def _act(self, act: Act[Result]) -> Result:
        """Perform one act while nobody else writes; an EsitoError it raises refuses it alone."""
        return await self._engine.do(perform, act, alone=True)

    async def _act_patiently(self, act: Act[Result], *, alone: bool = True) -> Result:
        """Perform one act of many likewise, and let others have their turn after it."""
        return await self._engine.do(perform, act, alone=alone, priority=WritePriority.PATIENT)

    async def _act_beside(self, act: Act[Result]) -> Result:
        """Perform one act without excluding other processes."""
        return await self._engine.do(perform, act)

    async def _do(self, transaction: Transaction[Request, Result], request: Request) -> Result:
        """Hand a request to the writer; neighbours for the same transaction are given to it together."""
        return await self._engine.do(transaction, request)

    async def _do_patiently(self, transaction: Transaction[Request, Result], request: Request) -> Result:
        """Hand a request to the writer that can wait, and let others have their turn after it."""
        return await self._engine.do(transaction, request, priority=WritePriority.PATIENT)
