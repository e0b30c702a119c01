"""What we ask of an engine: one place that writes, with many callers sharing a commit, and places that read."""

from collections.abc import Awaitable, Callable, Sequence
from enum import Enum
from typing import Protocol, TypeVar

from esito.store.sql_connection import Connection, Read, Request, Result, Row, Transaction

Answer = TypeVar("Answer")


class WritePriority(Enum):
    """How soon work must come to its transaction."""

    SEND = "send"
    """A client waits for its answer: an engine on which several can write keeps a writer for it alone."""
    USUAL = "usual"
    PATIENT = "patient"
    """It can wait, so that others are not kept by it: a transaction of its own, and then the turn of others."""


class Engine(Protocol):
    """A database that is open."""

    @property
    def shared(self) -> bool:
        """Whether several processes may write at the same time."""

    @property
    def put_off(self) -> Sequence[str]:
        """A sentence for every migration that must wait, known once it is open."""

    async def open(self) -> None:
        """Open and migrate. Raises NewerSchema, UnsafeEngine, StoreUnavailable."""

    async def close(self) -> None:
        """Finish what was begun and close; idempotent."""

    def do(
        self,
        transaction: Transaction[Request, Result],
        request: Request,
        *,
        alone: bool = False,
        priority: WritePriority = WritePriority.USUAL,
    ) -> Awaitable[Result]:
        """Hand a request to the writer; the result comes once its transaction is durable.

        Neighbours for the same transaction are given to it together. `alone`: no other process may write meanwhile.
        What a transaction remembers is used by one thread as long as it always comes with the same `priority`.
        Raises StoreUnavailable (nothing was changed; try again) or StoreFailed (unknown).
        """

    async def rows(self, read: Read[Row]) -> list[Row]:
        """Answer one statement that reads little, by the shortest way. Raises StoreUnavailable."""

    async def ask(self, question: Callable[[Connection], Answer]) -> Answer:
        """Answer a short question; it sees everything that was committed before. Raises StoreUnavailable."""

    async def ask_long(self, account_id: int, question: Callable[[Connection], Answer]) -> Answer:
        """Answer a question about one account that may read much, without delaying anybody else.

        Few of an account with its sub-accounts are answered at a time; others wait. Raises StoreUnavailable.
        """

    async def top_of(self, account_id: int) -> int:
        """Return the account above this one, or itself. Raises StoreUnavailable."""

    async def ask_aside(self, question: Callable[[Connection], Answer]) -> Answer:
        """Answer a question that reads much, within one snapshot, without delaying anybody."""

    async def drop_old(self, before: int) -> int:
        """Drop tables in which all is as old as `before` and done with, where there are such; return how many."""

    async def checkpoint(self) -> bool:
        """Remove older versions of what was erased from the engine's own files now; False when it will later."""

    async def room_to_write(self) -> bool:
        """Tell whether there is space for more than a few commits, as far as we can see it."""

    def stale(self) -> bool:
        """Tell whether anything may have been committed since this was asked last; what was remembered is void then."""

    @property
    def depth(self) -> int:
        """How many writes wait for the next commit."""
