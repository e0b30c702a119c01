"""A scriptable SMSC for tests: it says what the test tells it to and keeps what comes."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from esito.smpp import pdu as p
from esito.smpp.codec import FrameBuffer, decode, encode
from tests.kit.patience import until
from tests.kit.serving import Serving

__all__ = ["Peer", "Session", "peer", "until"]

BIND_RESPONSES: dict[type[p.Pdu], type[p.BindResp]] = {
    p.BindTransceiver: p.BindTransceiverResp,
    p.BindTransmitter: p.BindTransmitterResp,
    p.BindReceiver: p.BindReceiverResp,
}


class Session:
    """One connection that an ESME has opened."""

    def __init__(self, peer: "Peer", reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.came: list[p.Pdu] = []
        self.over = False
        self._peer = peer
        self._reader, self._writer = reader, writer
        self._frames = FrameBuffer()

    def say(self, *pdus: p.Pdu) -> None:
        self.write(b"".join(encode(pdu) for pdu in pdus))

    def write(self, octets: bytes) -> None:
        self._writer.write(octets)

    def hang_up(self) -> None:
        self._writer.transport.abort()

    def of(self, kind: type[p.Pdu]) -> list[p.Pdu]:
        return [pdu for pdu in self.came if type(pdu) is kind]

    async def run(self) -> None:
        try:
            while data := await self._reader.read(65536):
                for frame in self._frames.feed(data):
                    self._take(decode(frame))
        except ConnectionError:
            pass
        self.over = True

    def _take(self, pdu: p.Pdu) -> None:
        self.came.append(pdu)
        kind = BIND_RESPONSES.get(type(pdu))
        if kind is not None:
            status = self._peer.bind_status
            if status is not None:
                self.say(kind(sequence=pdu.sequence, status=status, system_id="" if status else "peer"))
        elif isinstance(pdu, p.EnquireLink) and self._peer.answers_enquiries:
            self.say(p.EnquireLinkResp(sequence=pdu.sequence))
        elif isinstance(pdu, p.Unbind):
            self.say(p.UnbindResp(sequence=pdu.sequence))
        elif isinstance(pdu, p.SubmitSm):
            self._answer(self._peer.on_submit(pdu))
        elif isinstance(pdu, p.QuerySm):
            self._answer(self._peer.on_query(pdu))

    def _answer(self, response: p.Pdu | None) -> None:
        if response is not None:
            self.say(response)


class Peer:
    """Listens; every connection is a `Session`."""

    def __init__(self) -> None:
        self.port = 0
        self.sessions: list[Session] = []
        self.bind_status: int | None = 0
        """command_status of bind responses; None: none at all."""
        self.answers_enquiries = True
        self.on_submit: Callable[[p.SubmitSm], p.Pdu | None] = lambda pdu: p.SubmitSmResp(
            sequence=pdu.sequence, message_id=f"{pdu.sequence}"
        )
        self.on_query: Callable[[p.QuerySm], p.Pdu | None] = lambda pdu: p.GenericNack(
            sequence=pdu.sequence, status=p.Status.ESME_RINVCMDID
        )
        self.greeting = b""
        """Octets said as soon as somebody connects."""

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = Session(self, reader, writer)
        self.sessions.append(session)
        if self.greeting:
            session.write(self.greeting)
        await session.run()

    @property
    def session(self) -> Session:
        """The newest connection."""
        return self.sessions[-1]

    async def came(self, kind: type[p.Pdu], count: int = 1) -> list[p.Pdu]:
        """Return the PDUs of a kind over all connections, once there are so many."""

        def found() -> list[p.Pdu]:
            return [pdu for session in self.sessions for pdu in session.of(kind)]

        await until(lambda: len(found()) >= count)
        return found()


@asynccontextmanager
async def peer(tls: ssl.SSLContext | None = None, **script: object) -> AsyncIterator[Peer]:
    """Run an SMSC until the block ends; `script` sets its attributes."""
    one = Peer()
    for name, value in script.items():
        setattr(one, name, value)
    serving = Serving(one.take, tls=tls)
    one.port = serving.port
    try:
        yield one
    finally:
        await serving.end()
