"""An SMSC to which nothing is sent: it notes when enquire_link comes, and how long its own ones wait for an answer.

In every second session it asks; in the others it is silent, so that the server asks.
"""

import asyncio
import time
from dataclasses import dataclass, field

from esito.smpp import pdu as p
from esito.smpp.codec import FrameBuffer, decode, encode
from esito.smpp.pdu import Pdu

ASK_EVERY = 1.0
"""Seconds between two enquire_link of ours."""


@dataclass(slots=True)
class Heard:
    """What it has noted."""

    binds: int = 0
    ended: int = 0
    """Connections that the server ended."""
    came: list[float] = field(default_factory=list)
    """Seconds between two enquire_link of the server."""
    answered: list[float] = field(default_factory=list)
    """Seconds that ours waited."""


class QuietSmsc:
    """Listens from `start` on; `port` is the one that it was given."""

    def __init__(self) -> None:
        self.heard = Heard()
        self.port = 0
        self._server: asyncio.Server | None = None
        self._stopping = False
        self._sessions = 0

    async def start(self) -> None:
        """Listen."""
        self._server = await asyncio.start_server(self._take, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Listen no more; what ends from now on is not noted."""
        self._stopping = True
        if self._server is not None:
            self._server.close()

    def stopping(self) -> None:
        """Note nothing any more: the server is about to be stopped."""
        self._stopping = True

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._sessions += 1
        session = _Session(self.heard, writer, asks=self._sessions % 2 == 1)
        asking = asyncio.create_task(session.ask())
        try:
            frames = FrameBuffer()
            while octets := await reader.read(65536):
                for frame in frames.feed(octets):
                    session.hear(decode(frame))
        except OSError:
            pass
        finally:
            asking.cancel()
            writer.transport.abort()
            if session.bound and not self._stopping:
                self.heard.ended += 1


class _Session:
    """One connection of the server."""

    def __init__(self, heard: Heard, writer: asyncio.StreamWriter, *, asks: bool) -> None:
        self._heard = heard
        self._asks = asks
        self._writer = writer
        self._last = 0.0
        self._asked: dict[int, float] = {}
        self._sequence = 0
        self.bound = False

    def hear(self, pdu: Pdu) -> None:
        """Answer."""
        now = time.monotonic()
        if isinstance(pdu, p.BindTransceiver):
            self._say(p.BindTransceiverResp(sequence=pdu.sequence, system_id="quiet"))
            self.bound, self._last = True, now
            self._heard.binds += 1
        elif isinstance(pdu, p.EnquireLink):
            self._say(p.EnquireLinkResp(sequence=pdu.sequence))
            if not self._asks:  # else it has heard from us meanwhile
                self._heard.came.append(now - self._last)
            self._last = now
        elif isinstance(pdu, p.EnquireLinkResp) and pdu.sequence in self._asked:
            self._heard.answered.append(now - self._asked.pop(pdu.sequence))
        elif isinstance(pdu, p.Unbind):
            self._say(p.UnbindResp(sequence=pdu.sequence))

    async def ask(self) -> None:
        """Ask whether the server is there, until cancelled."""
        while self._asks:
            await asyncio.sleep(ASK_EVERY)
            if self.bound:
                self._sequence += 1
                self._asked[self._sequence] = time.monotonic()
                self._say(p.EnquireLink(sequence=self._sequence))

    def _say(self, pdu: Pdu) -> None:
        self._writer.write(encode(pdu))
