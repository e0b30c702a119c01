"""An SMSC that says whatever a test wants: plain sockets, no protocol of its own."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Self

from esito.smpp import pdu as p
from esito.smpp.codec import FrameBuffer, decode, encode
from tests.kit.patience import A_TRY, PATIENCE, Stopwatch


class Line:
    """One connection of the server to us."""

    def __init__(self, connected: socket.socket) -> None:
        self.socket = connected
        self.socket.settimeout(PATIENCE)
        self._frames = FrameBuffer()
        self._read: list[p.Pdu] = []

    def read(self) -> p.Pdu | None:
        """Return the next PDU; None when the server has closed."""
        while not self._read:
            try:
                octets = self.socket.recv(65536)
            except ConnectionResetError:
                return None
            if not octets:
                return None
            self._read += [decode(frame) for frame in self._frames.feed(octets)]
        return self._read.pop(0)

    def until(self, kind: type[p.Pdu]) -> p.Pdu:
        """Return the next PDU of a kind; what comes before it is answered as a good SMSC would."""
        while (pdu := self.read()) is not None:
            if isinstance(pdu, kind):
                return pdu
            self.courtesy(pdu)
        raise AssertionError(f"closed before a {kind.__name__} came")

    def courtesy(self, pdu: p.Pdu) -> None:
        if isinstance(pdu, p.EnquireLink):
            self.say(p.EnquireLinkResp(sequence=pdu.sequence))

    def say(self, *pdus: p.Pdu) -> None:
        self.socket.sendall(b"".join(encode(pdu) for pdu in pdus))

    def octets(self, octets: bytes) -> None:
        """Write anything; the server may have closed already."""
        with suppress(BrokenPipeError, ConnectionResetError):
            self.socket.sendall(octets)

    def bind(self) -> Self:
        """Accept the bind that comes first."""
        asked = self.until(p.BindTransceiver)
        self.say(p.BindTransceiverResp(sequence=asked.sequence, system_id="hostile"))
        return self

    def closed(self) -> bool:
        """Return whether the server closes; what it still says is read and thrown away."""
        try:
            while self.socket.recv(65536):
                pass
        except ConnectionResetError:
            return True
        except TimeoutError:
            return False
        return True

    def close(self) -> None:
        self.socket.close()


class Hostile:
    """Where the server's link connects to."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0), backlog=16)
        self._listening.settimeout(PATIENCE)
        self.port: int = self._listening.getsockname()[1]
        self._idle = Stopwatch()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.close()

    def forget(self) -> None:
        """Close the connections that came while nobody took any: the server may have given them up."""
        self._listening.settimeout(0)
        with suppress(BlockingIOError):
            while True:
                self._listening.accept()[0].close()
        self._listening.settimeout(PATIENCE)

    @contextmanager
    def line(self) -> Iterator[Line]:
        """Take the server's next connection on which it has said something, and that it has not given up since.

        One that came while nobody took any may be about to be given up.
        """
        if self._idle.at_least(A_TRY):
            self.forget()
        connected, _ = self._listening.accept()
        while not _speaks(connected):
            connected.close()
            connected, _ = self._listening.accept()
        line = Line(connected)
        try:
            yield line
        finally:
            line.close()
            self._idle = Stopwatch()


def _speaks(connected: socket.socket) -> bool:
    connected.settimeout(PATIENCE)
    try:
        return bool(connected.recv(1, socket.MSG_PEEK))
    except ConnectionResetError:
        return False
