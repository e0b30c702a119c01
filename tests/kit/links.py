"""A link to a scriptable SMSC, and who it reports to."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from functools import wraps
from typing import Any, ParamSpec

from esito.links.interface import Link
from esito.links.smpp_link import SmppLink
from esito.smpp import pdu as p
from esito.smpp.connect import SmppSettings
from esito.smpp.responses import SubmitResponse
from tests.kit.peer import Peer

P = ParamSpec("P")


def in_a_loop(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    @wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        asyncio.run(test(*args, **kwargs))

    return run


class Events:
    """Keeps what a link reports; answers deliveries once it may."""

    def __init__(self) -> None:
        self.answers: list[SubmitResponse] = []
        self.deliveries: list[p.DeliverSm | p.DataSm] = []
        self.changes = 0
        self.may_answer = asyncio.Event()
        self.may_answer.set()
        self.error: Exception | None = None

    def submitted(self, _link: str, outcomes: list[SubmitResponse]) -> None:
        self.answers += outcomes

    async def delivered(self, _link: str, pdus: Sequence[p.DeliverSm | p.DataSm]) -> list[int]:
        self.deliveries += pdus
        await self.may_answer.wait()
        if self.error is not None:
            raise self.error
        return [0] * len(pdus)

    def changed(self, _link: Link) -> None:
        self.changes += 1


@asynccontextmanager
async def linked(one: Peer, **settings: Any) -> AsyncIterator[tuple[SmppLink, Events]]:
    """A link to the peer; everything it waits for is short, and what it is still owed at the end is not waited for."""
    usual: dict[str, Any] = {
        "name": "alpha",
        "host": "127.0.0.1",
        "port": one.port,
        "system_id": "smsc",
        "password": "secret",
        "rebind_min": 0.01,
        "rebind_max": 0.05,
    }
    events = Events()
    link = SmppLink(SmppSettings(**{**usual, **settings}), events)
    await link.start()
    try:
        yield link, events
    finally:
        await link.stop(patience=0)


def some(count: int) -> list[tuple[p.SubmitSm, object]]:
    return [(p.SubmitSm(destination_addr=f"3360000000{number}"), number) for number in range(count)]


def status_of(pdus: list[p.Pdu]) -> list[tuple[int, int]]:
    return [(pdu.sequence, pdu.status) for pdu in pdus]
