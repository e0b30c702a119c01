"""The attack, a process of its own: it attacks from `attack` to `rest`, a line each, and tells in the end what it did.

It is told by one line of JSON. A machine of its own would not take the server's processor: it is as nice as one can be.
"""

import asyncio
import contextlib
import json
import os
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Iterator
from itertools import count
from typing import Any

import aiohttp
import msgspec

from benchmarks.hostile.calls import CALLS, Make, Operation, Things, with_key
from benchmarks.hostile.receivers import dead_receivers
from benchmarks.hostile.strangers import OTHERS_FROM, SILENT_FROM, Counted, keep_silent, openings, send_bodies

KEYED_FROM = "127.0.0.3"
BODIES_FROM = "127.0.0.4"
MOST_READ = 4 << 20
"""Octets of an answer that are read: then the connection is closed, as by one who has seen enough."""


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """What the attack is made of."""

    port: int
    key: str
    messages: int
    receivers: int
    silent: int
    """Connections from one address."""
    others: int
    """Connections from others."""
    at_once: int
    """Calls of the big account."""
    bodies: int
    """Bodies of strangers at once."""
    times: int = 0
    """How often each call is made; 0: without end."""
    pause: float = 1.0
    """Seconds before a connection that was ended is made again."""


class Told(msgspec.Struct, kw_only=True):
    """What it has done."""

    calls: dict[str, dict[str, int]]
    """By operation, how often each status was answered."""
    connections: dict[str, int]
    bodies: dict[str, int]


class Attack:
    """Everything that goes on at the same time."""

    def __init__(self, orders: Orders, things: Things) -> None:
        self._orders = orders
        self._things = things
        self._turn = self._in_turn()
        self.calls: dict[Operation, Counter[str]] = {one: Counter() for one in CALLS}
        self.connections = Counted()
        self.bodies = Counted()

    def parts(self) -> Iterator[Coroutine[Any, Any, None]]:
        """Yield what is to be done at the same time."""
        orders, kinds = self._orders, openings(self._orders.key)
        for place in range(orders.silent):
            yield keep_silent(orders.port, SILENT_FROM, kinds[place % len(kinds)], self.connections, pause=orders.pause)
        for place in range(orders.others):
            yield keep_silent(
                orders.port, f"127.0.0.{OTHERS_FROM + place % 200}", kinds[place % len(kinds)], self.connections,
                pause=orders.pause,
            )  # fmt: skip
        for _ in range(orders.bodies):
            yield send_bodies(orders.port, BODIES_FROM, self.bodies)
        yield self._call()

    async def _call(self) -> None:
        """Make calls, many at once, one connection each."""
        connector = aiohttp.TCPConnector(limit=max(1, self._orders.at_once), local_addr=(KEYED_FROM, 0))
        async with aiohttp.ClientSession(connector=connector) as session:
            await asyncio.gather(*(self._worker(session) for _ in range(self._orders.at_once)))

    def _in_turn(self) -> Iterator[tuple[Operation, Make]]:
        """Yield every operation, again and again, in an order by chance."""
        chance = random.Random(16)
        everything = list(CALLS.items())
        for turn in count():
            if self._orders.times and turn >= self._orders.times:
                return
            chance.shuffle(everything)
            yield from everything

    async def _worker(self, session: aiohttp.ClientSession) -> None:
        for operation, make in self._turn:
            await self._ask(session, operation, make)

    async def _ask(self, session: aiohttp.ClientSession, operation: Operation, make: Make) -> None:
        """Make a call, and count it by its status: that of a long answer comes before its end."""
        asked = make(self._things)
        url = f"http://127.0.0.1:{self._orders.port}{with_key(asked, self._things.key)}"
        headers = {"Authorization": f"Bearer {self._things.key}"} if "/v1/" not in asked.path else {}
        headers |= {"Content-Type": "application/json"} if asked.body else {}
        try:
            async with session.request(asked.method, url, data=asked.body or None, headers=headers) as answer:
                self.calls[operation][str(answer.status)] += 1
                read, first = 0, b""
                async for piece in answer.content.iter_any():
                    first = first or piece
                    read += len(piece)
                    if read > MOST_READ:
                        answer.close()
                        break
                self._things.learn(asked, first)
        except (aiohttp.ClientError, TimeoutError) as error:
            self.calls[operation][type(error).__name__] += 1
            await asyncio.sleep(0.1)

    def unanswered(self) -> int:
        """Return how many of the calls that are to be made lack their answer."""
        return sum(max(0, self._orders.times - sum(answers.values())) for answers in self.calls.values())

    def told(self) -> Told:
        """Return what was done."""
        return Told(
            calls={" ".join(one): dict(counted) for one, counted in self.calls.items()},
            connections=self.connections.by_kind,
            bodies=self.bodies.by_kind,
        )


@contextlib.asynccontextmanager
async def _going_on(attack: Attack) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(part) for part in attack.parts()]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
        for one in ended:
            if isinstance(one, Exception):
                print(f"a part of the attack ended: {one!r}", file=sys.stderr, flush=True)


async def _lines() -> AsyncIterator[str]:
    while line := await asyncio.to_thread(sys.stdin.readline):
        yield line.strip()


async def _obey(orders: Orders) -> None:
    async with dead_receivers(orders.receivers) as urls:
        print(json.dumps(urls), flush=True)
        attack = Attack(orders, Things(orders.key, orders.messages, urls))
        async with contextlib.AsyncExitStack() as going_on:
            async for line in _lines():
                if line == "attack":
                    await going_on.enter_async_context(_going_on(attack))
                elif line == "rest":
                    await going_on.aclose()
                elif line == "unanswered":
                    print(json.dumps(attack.unanswered()), flush=True)
                    continue
                elif line == "tell":
                    print(msgspec.json.encode(attack.told()).decode(), flush=True)
                    continue
                print("{}", flush=True)


def main() -> None:
    """Read the orders, and obey until the input ends."""
    os.nice(19)
    asyncio.run(_obey(msgspec.json.decode(sys.stdin.readline(), type=Orders)))


if __name__ == "__main__":
    main()
