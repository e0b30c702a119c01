"""The well-behaved account, a process of its own: steady questions and sends, each timed and looked at.

It is told by lines: orders in JSON, then `phase NAME`, `count`, `settled` and `tell`; it answers each by one of JSON.
A request is due at its time, whatever became of the one before: who waits longer does not ask less.
"""

import asyncio
import json
import sys
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import msgspec

FIRST_NUMBER = 33_601_000_000
TEXT = "What happened to every recipient of my message?"
BULK, SEND = "bulk-status", "send"
PATIENCE = aiohttp.ClientTimeout(total=60)


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """What it does."""

    port: int
    key: str
    messages: int = 20
    """Sent before it begins, and asked about from then on."""
    recipients: int = 50
    """Of each of them."""
    questions_per_second: float = 25.0
    sends_per_second: float = 5.0


class Told(msgspec.Struct, kw_only=True):
    """What it saw."""

    milliseconds: dict[str, dict[str, list[float]]]
    """By phase and by what was asked."""
    wrong: list[str]
    """The first few things that were not as they must be."""
    failed: int
    """How many these were."""
    answered: int
    sent: int


class Good:
    """The account."""

    def __init__(self, orders: Orders, asking: aiohttp.ClientSession, sending: aiohttp.ClientSession) -> None:
        """Two sessions, so that neither waits for a connection of the other."""
        self._orders = orders
        self._asking = asking
        self._sending = sending
        self._url = f"http://127.0.0.1:{orders.port}"
        self._next_number = FIRST_NUMBER
        self._messages: list[tuple[int, list[str]]] = []
        """Those that are asked about."""
        self._sent: dict[int, list[str]] = {}
        """Every message, and those it went to."""
        self._settled: set[int] = set()
        self._running: set[asyncio.Task[None]] = set()
        self._asked = 0
        self.phase = ""
        self.told = Told(milliseconds={}, wrong=[], failed=0, answered=0, sent=0)

    async def prepare(self) -> None:
        """Send what is asked about later; look up numbers, as what is known of them is read when first asked for."""
        for _ in range(self._orders.messages):
            self._messages.append(await self._send(self._orders.recipients))
        asked = {"apiKey": self._orders.key, "phoneNumbers": self._messages[0][1]}
        async with self._sending.post(f"{self._url}/v1/lookup", json=asked) as answer:
            if answer.status != 200:
                self._complain(f"a lookup was answered {answer.status}")

    async def go_on(self) -> None:
        """Ask and send, until cancelled."""
        await asyncio.gather(
            self._steadily(self._orders.questions_per_second, BULK, self._ask),
            self._steadily(self._orders.sends_per_second, SEND, lambda: self._send(1)),
        )

    async def _steadily(self, per_second: float, kind: str, do: Callable[[], Awaitable[Any]]) -> None:
        due = time.perf_counter()
        while True:
            due += 1 / per_second
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            task = asyncio.create_task(self._timed(self.phase, kind, do))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def _timed(self, phase: str, kind: str, do: Callable[[], Awaitable[Any]]) -> None:
        began = time.perf_counter()
        try:
            await do()
        except (aiohttp.ClientError, TimeoutError, ValueError, KeyError) as error:
            self._complain(f"{kind} while {phase}: {error!r}")
            return
        took = (time.perf_counter() - began) * 1000
        self.told.answered += 1
        self.told.milliseconds.setdefault(phase, {}).setdefault(kind, []).append(took)

    async def _ask(self) -> None:
        number, recipients = self._messages[self._asked % len(self._messages)]
        self._asked += 1
        statuses = await self._statuses(number)
        if [phone for phone, _ in statuses] != recipients:
            self._complain(f"bulk-status of message {number} has other recipients than were sent to, or another order")

    async def _statuses(self, number: int) -> list[tuple[str, str]]:
        url = f"{self._url}/v1/bulk-status?apiKey={self._orders.key}&messageId={number}"
        async with self._asking.get(url) as answer:
            body = json.loads(await answer.read())
        if answer.status != 200 or not body["success"]:
            raise ValueError(f"bulk-status was answered {answer.status}: {body}")
        return [(one["phoneNumber"], one["status"]) for one in body["StatutResponse_List"]]

    async def _send(self, count: int) -> tuple[int, list[str]]:
        numbers = [f"+{self._next_number + place}" for place in range(count)]
        self._next_number += count
        asked = {"apiKey": self._orders.key, "phoneNumbers": ",".join(numbers), "message": TEXT}
        async with self._sending.post(f"{self._url}/v1/send", json=asked) as answer:
            body = json.loads(await answer.read())
        if answer.status != 200 or not body["success"]:
            raise ValueError(f"a send was answered {answer.status}: {body}")
        number = int(body["message_id"])
        if number in self._sent:
            self._complain(f"two messages have the id {number}")
        self._sent[number] = numbers
        self.told.sent += 1
        return number, numbers

    def _complain(self, what: str) -> None:
        self.told.failed += 1
        if len(self.told.wrong) < 10:
            self.told.wrong.append(what)

    def count(self) -> dict[str, int]:
        """Return how much was answered in this phase."""
        return {kind: len(took) for kind, took in self.told.milliseconds.get(self.phase, {}).items()}

    async def settled(self) -> dict[str, int]:
        """Return how many messages have which status by now, those that are not delivered to everybody yet by one."""
        counted: Counter[str] = Counter()
        for number, numbers in self._sent.items():
            if number in self._settled:
                counted["Delivered"] += 1
                continue
            statuses = await self._statuses(number)
            if [phone for phone, _ in statuses] != numbers:
                self._complain(f"message {number} has other recipients than were sent to")
            words = {word for _, word in statuses}
            if words == {"Delivered"}:
                self._settled.add(number)
            counted["Delivered" if words == {"Delivered"} else next(iter(words - {"Delivered"}))] += 1
        return counted

    async def finish(self) -> None:
        """Wait for what was asked."""
        await asyncio.gather(*self._running)


async def _obey(orders: Orders) -> None:
    async with _session() as asking, _session() as sending:
        good = Good(orders, asking, sending)
        await good.prepare()
        _say({})
        going_on = asyncio.create_task(good.go_on())
        while line := (await asyncio.to_thread(sys.stdin.readline)).strip():
            if line.startswith("phase "):
                good.phase = line.removeprefix("phase ")
                _say(good.count())
            elif line == "count":
                _say(good.count())
            elif line == "settled":
                going_on.cancel()
                await asyncio.gather(going_on, return_exceptions=True)
                await good.finish()
                _say(await good.settled())
            elif line == "tell":
                _say(msgspec.to_builtins(good.told))
        going_on.cancel()


def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=30), timeout=PATIENCE)


def _say(what: Any) -> None:
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    asyncio.run(_obey(msgspec.json.decode(sys.stdin.readline(), type=Orders)))
