"""A store and an account whose callbacks a worker makes, by a clock that stands still until it is pushed."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import count

from esito.domain.account import Account
from esito.domain.callback import CallbackPhase
from esito.domain.timing import PushableClock
from esito.store.sqlite import SqliteStore
from esito.webhooks.addresses import Judge
from esito.webhooks.sender import Sender
from esito.webhooks.worker import CallbackWorker
from tests.kit.builders import NOW, message, receipt, submitted
from tests.kit.desk import Standing
from tests.kit.patience import until


class Office:
    """A store, an account, a clock that stands still until it is pushed."""

    def __init__(self, store: SqliteStore, account: Account) -> None:
        self.store = store
        self.account = account
        self.clock = PushableClock(Standing(NOW))
        self._ids = count(1)
        self._worker: CallbackWorker | None = None

    def worker(self, **more: object) -> CallbackWorker:
        """Return a worker, which `settle` wakes as receipts would."""
        given = {
            "store": self.store, "clock": self.clock, "sign": plain_sign,
            "poster": Sender(judge=Judge(allow_private_networks=True)),
        }  # fmt: skip
        self._worker = CallbackWorker(**(given | more))  # type: ignore[arg-type]  # of a test
        return self._worker

    async def send(self, url: str, *, numbers: int = 1) -> tuple[int, list[str]]:
        """Send a message; return its id and those of its segments."""
        ids = [f"O{next(self._ids)}" for _ in range(numbers)]
        new = message(self.account, [33600000000 + seq for seq in range(numbers)], url_dlr=url, due_at=self.clock.now())
        return await submitted(self.store, new, ids, at=self.clock.now()), ids

    async def tell(self, url: str, *words: str, numbers: int = 1) -> int:
        """Send a message and have the operator say these words of each recipient now; return its id."""
        number, ids = await self.send(url, numbers=numbers)
        for word in words:
            await self.say(ids, word)
        return number

    async def say(self, ids: Sequence[str], word: str) -> None:
        await self.store.apply_receipts([receipt(id_, word, at=self.clock.now()) for id_ in ids])

    async def settle(self) -> None:
        """Return once nothing is out and nothing is due at this instant."""
        if self._worker is not None:
            self._worker.wake()

        async def idle() -> bool:
            return not await self._busy()

        await until(idle, "callbacks are not made")

    async def _busy(self) -> bool:
        now = self.clock.now()
        due, _ = await self.store.callbacks.waiting()
        lines = await self.store.callbacks.page(self.account.id, status="waiting", limit=10_000)
        return len(lines) < due or any(
            one.phase is CallbackPhase.LEASED or (one.next_at is not None and one.next_at <= now) for one in lines
        )

    async def pass_(self, ms: int, *, step: int) -> None:
        """Let time pass, and everything happen that is due meanwhile."""
        for _ in range(0, ms, step):
            self.clock.advance(step)
            await self.settle()


def plain_sign(secret: str, webhook_id: str, timestamp: int, body: bytes) -> str:
    return f"{secret}.{webhook_id}.{timestamp}.{len(body)}"


@asynccontextmanager
async def running(worker: CallbackWorker) -> AsyncIterator[CallbackWorker]:
    task = asyncio.create_task(worker.run())
    try:
        yield worker
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
