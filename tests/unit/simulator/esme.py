"""A bare ESME for the tests of the simulator: it does what the test says and keeps what comes."""

import asyncio
import functools
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from itertools import count
from typing import Any, ParamSpec

import msgspec

from esito.domain.timing import PushableClock
from esito.simulator.smsc import Smsc, SmscSettings
from esito.smpp import pdu as p
from esito.smpp.codec import FrameBuffer, decode, encode
from tests.kit.patience import in_time, until

SETTLED = 0.05
"""Seconds in which whatever must not happen would have happened."""

P = ParamSpec("P")


def in_a_loop(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run an async test."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        asyncio.run(test(*args, **kwargs))

    return run


def still() -> PushableClock:
    """Return a clock that moves only when it is pushed."""
    return PushableClock(speed=0)


@asynccontextmanager
async def operator(clock: PushableClock, **settings: Any) -> AsyncIterator[Smsc]:
    smsc = Smsc(SmscSettings(**({"port": 0, "seed": 1} | settings)), clock=clock)
    await smsc.start()
    try:
        yield smsc
    finally:
        await smsc.stop()


class Esme:
    """One connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._frames = FrameBuffer()
        self._sequences = count(1)
        self._news = asyncio.Event()
        self._task = asyncio.create_task(self._read())
        self.came: list[p.Pdu] = []
        """Everything that came, in order."""
        self.verdict: Callable[[p.DeliverSm], int | None] = lambda _: 0
        """command_status for a deliver_sm; None: say nothing."""
        self.answers_enquiries = True
        self.over = False
        self.reads = 0
        """How often octets came."""

    @classmethod
    async def connect(cls, smsc: Smsc) -> "Esme":
        return cls(*await asyncio.open_connection("127.0.0.1", smsc.port))

    @classmethod
    async def bound(cls, smsc: Smsc, kind: type[p.Bind] = p.BindTransceiver) -> "Esme":
        esme = await cls.connect(smsc)
        assert (await esme.bind(kind)).status == 0
        return esme

    async def bind(
        self, kind: type[p.Bind] = p.BindTransceiver, *, system_id: str = "smsc", password: str = "secret"
    ) -> p.Pdu:
        return await self.ask(kind(system_id=system_id, password=password))

    async def submit(self, to: str, *, text: bytes = b"Bonjour", wants: int = 1, **fields: Any) -> p.SubmitSmResp:
        response = await self.ask(
            p.SubmitSm(
                source_addr_ton=5,
                source_addr="Esito",
                dest_addr_ton=1,
                dest_addr_npi=1,
                destination_addr=to,
                registered_delivery=wants,
                short_message=text,
                **fields,
            )
        )
        assert isinstance(response, p.SubmitSmResp)
        return response

    async def ask(self, request: p.Pdu) -> p.Pdu:
        """Send with the next sequence_number and return the response."""
        sequence = next(self._sequences)
        self.send(msgspec.structs.replace(request, sequence=sequence))
        kinds = (p.DeliverSm, p.EnquireLink, p.Unbind)
        return await self.find(lambda pdu: pdu.sequence == sequence and not isinstance(pdu, kinds))

    def send(self, pdu: p.Pdu) -> None:
        self.write(encode(pdu))

    def write(self, octets: bytes) -> None:
        self._writer.write(octets)

    async def find(self, wanted: Callable[[p.Pdu], bool]) -> p.Pdu:
        """Return the first PDU of this kind, once it has come."""
        await self.until(lambda: any(wanted(pdu) for pdu in self.came))
        return next(pdu for pdu in self.came if wanted(pdu))

    async def deliveries(self, number: int) -> list[p.DeliverSm]:
        """Return all deliver_sm, once there are so many."""
        await self.until(lambda: len(self.delivered) >= number)
        return self.delivered

    async def until(self, true: Callable[[], bool]) -> None:
        async with in_time():
            while not true():
                self._news.clear()
                await self._news.wait()

    @property
    def delivered(self) -> list[p.DeliverSm]:
        return [pdu for pdu in self.came if isinstance(pdu, p.DeliverSm)]

    async def hung_up(self) -> None:
        """Return once the simulator has closed the connection."""
        await self.until(lambda: self.over)

    async def close(self) -> None:
        self._writer.close()
        async with in_time():
            await self._task

    async def _read(self) -> None:
        try:
            while data := await self._reader.read(65536):
                self.reads += 1
                for frame in self._frames.feed(data):
                    self._take(decode(frame))
        except ConnectionError:
            pass
        self._writer.close()
        self.over = True
        self._news.set()

    def _take(self, pdu: p.Pdu) -> None:
        self.came.append(pdu)
        if isinstance(pdu, p.DeliverSm):
            status = self.verdict(pdu)
            if status is not None:
                self.send(p.DeliverSmResp(sequence=pdu.sequence, status=status))
        elif isinstance(pdu, p.EnquireLink) and self.answers_enquiries:
            self.send(p.EnquireLinkResp(sequence=pdu.sequence))
        elif isinstance(pdu, p.Unbind):
            self.send(p.UnbindResp(sequence=pdu.sequence))
        self._news.set()


async def eventually(true: Callable[[], bool]) -> None:
    """Return once something about the simulator is true."""
    await until(true)
