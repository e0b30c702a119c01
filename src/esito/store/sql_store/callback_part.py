"""The outbox of callbacks: the event loop's side."""

from collections.abc import Sequence

from esito.domain.callback import CallbackLine, CallbackPhase, Destination, Outcome
from esito.store.engine import Engine
from esito.store.interface.callback_store import ClaimedCallbacks, ClaimRequest, Turn
from esito.store.sql_store.shares import Shares
from esito.store.sql_store.store_part import StorePart
from esito.store.transactions import callback_lists, callbacks


class CallbackPart(StorePart):
    """What is behind `Store.callbacks`."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._turns = callbacks.CallbackTurns()
        self._replays = Shares(most=1)

    async def free_leases(self, at: int) -> int:
        """Make due what a dead process was making; return how many."""
        return await self._act(lambda open_: callbacks.free_leases(open_, at))

    async def route(self, at: int, *, limit: int = 1000) -> int:
        """Find the destination of up to `limit` new callbacks; return how many there were."""
        return await self._act(lambda open_: callbacks.route_callbacks(open_, at, limit))

    async def claim(self, wanted: ClaimRequest) -> ClaimedCallbacks:
        """Lease callbacks that are due, for every destination in turn up to its free slots."""
        return await self._do(self._turns.claim, wanted)

    async def record(self, outcomes: Sequence[Outcome]) -> int:
        """Keep attempts and what they came to; return how many callbacks were given up."""
        return await self._act(lambda open_: callbacks.record_outcomes(open_, outcomes))

    async def turn(self, outcomes: Sequence[Outcome], wanted: ClaimRequest, *, route: int = 1000) -> Turn:
        """Record, route and claim in one transaction."""
        return await self._do_patiently(self._turns.turn, callbacks.TurnRequest(outcomes, wanted, route))

    async def replay(self, account_id: int, callback_id: int, at: int) -> int:
        """Make one callback again; return how many that was. Raises NoSuchCallback."""
        return await self._act(lambda open_: callbacks.replay_one(open_, account_id, callback_id, at))

    async def replay_since(self, account_id: int, since: int, at: int, *, dead_only: bool = False) -> int:
        """Make again every finished callback whose change is not older than `since`; return how many.

        Some hundred to a transaction, so that receipts are kept meanwhile, and one replay of an account at a time.
        """
        top = await self._engine.top_of(account_id)
        return await self._replays.do(top, 1, lambda: self._replay_since(account_id, since, at, dead_only=dead_only))

    async def _replay_since(self, account_id: int, since: int, at: int, *, dead_only: bool) -> int:
        phases = (CallbackPhase.DEAD,) if dead_only else (CallbackPhase.DONE, CallbackPhase.DEAD)
        last = await self._ask(callbacks.last_callback)
        count, mark = 0, (since, 0)
        while portion := await self._act_patiently(
            callbacks.replay_portion(account_id, phases, mark, last, at), alone=False
        ):
            mark = portion[-1]
            count += len(portion)
        return count

    async def page(
        self,
        account_id: int,
        *,
        status: str = "",
        message_id: int | None = None,
        before: tuple[int, int] | None = None,
        limit: int = 100,
    ) -> list[CallbackLine]:
        """Return up to `limit` callbacks, newest first."""
        return await self._ask_long(
            account_id,
            lambda read: callback_lists.read_page(
                read, account_id, status=status, message_id=message_id, before=before, limit=limit
            ),
        )

    async def one(self, account_id: int, callback_id: int) -> CallbackLine | None:
        """Return a callback with its log of attempts."""
        return await self._ask_long(account_id, lambda read: callback_lists.read_one(read, account_id, callback_id))

    async def destinations(self, account_id: int, *, after: str = "", limit: int = 100) -> list[Destination]:
        """Return a page of where the account's callbacks go."""
        return await self._ask_long(
            account_id, lambda read: callback_lists.read_destinations(read, account_id, after=after, limit=limit)
        )

    async def waiting(self) -> tuple[int, int]:
        """Return how many callbacks wait to be made, and how many are dead."""
        return await self._ask(callback_lists.read_waiting)
