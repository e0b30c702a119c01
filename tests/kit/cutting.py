"""A way to PostgreSQL that breaks off at a chosen answer of the server, once, or on which nothing comes any more."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from enum import Enum
from typing import Self
from urllib.parse import urlsplit, urlunsplit

READY = b"Z"
"""ReadyForQuery: the server has answered, and waits for the next statement."""

PARAMETERS = b"t"
"""ParameterDescription: with what follows it the server has answered how a statement is to be used."""


def _error(severity: bytes, sqlstate: bytes, text: bytes) -> bytes:
    said = b"S%s\0V%s\0C%s\0M%s\0\0" % (severity, severity, sqlstate, text)
    return b"E" + (len(said) + 4).to_bytes(4) + said


LAST_WORDS = _error(b"FATAL", b"57P01", b"terminating connection due to administrator command")
"""What a server says to who asks nothing just then, before it closes the connection."""

PANIC = _error(b"PANIC", b"53100", b"could not write to file: No space left on device")
"""What a server says whose log cannot be written, before it ends altogether."""

CLEARING_UP = 0.03
"""Seconds that a server takes from its last words until the connection is closed."""


class End(Enum):
    """How a connection ends."""

    BEFORE_THE_ANSWER = "before the answer"
    WITH_THE_ANSWER = "with the answer"
    WITH_LAST_WORDS = "with last words"
    IN_A_PANIC = "in a panic"


class CutWay:
    """Passes on what clients and one server say to each other; from `cut` on it counts the answers."""

    def __init__(self, url: str) -> None:
        """`url`: of the database that is meant."""
        parts = urlsplit(url)
        self._server = (parts.hostname, parts.port)
        self._listening = socket.create_server(("127.0.0.1", 0))
        host = f"{parts.username}@127.0.0.1:{self._listening.getsockname()[1]}"
        self.url = urlunsplit(parts._replace(netloc=host, query="sslmode=disable"))
        self._left = 0
        self._end = End.BEFORE_THE_ANSWER
        self._counting = threading.Lock()
        self._silent: set[socket.socket] = set()
        self._servers: set[socket.socket] = set()
        self.swallowed = 0
        """Answers that came since it hangs, for nobody."""

    def __enter__(self) -> Self:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def cut(self, answers: int, end: End) -> None:
        """End a connection at the answer of this number from now on; 0 for never."""
        with self._counting:
            self._left, self._end = answers, end

    def hang(self) -> None:
        """Let nothing come from the server any more on the connections that there are."""
        self._silent |= self._servers

    @property
    def was_cut(self) -> bool:
        """Whether so many answers came."""
        return self._left == 0

    def _is_last(self) -> bool:
        with self._counting:
            if self._left:
                self._left -= 1
                return self._left == 0
            return False

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(self._server) as server:
            self._servers.add(server)
            asking = threading.Thread(target=_pass_on, args=(client, server), daemon=True)
            asking.start()
            with suppress(OSError):
                self._answer(server, client)
            for one in (client, server):
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
            asking.join()

    def _answer(self, server: socket.socket, client: socket.socket) -> None:
        former = b""
        for messages in _messages(server):
            passing = b""
            for message in messages:
                passing += message
                is_answer = message[:1] == READY or former == PARAMETERS
                former = message[:1]
                if is_answer and self._is_last():
                    if self._end is End.WITH_LAST_WORDS:
                        client.sendall(passing + LAST_WORDS)
                        time.sleep(CLEARING_UP)
                    elif self._end is End.IN_A_PANIC:
                        client.sendall(PANIC)
                        time.sleep(CLEARING_UP)
                    elif self._end is End.WITH_THE_ANSWER:  # in one packet
                        client.send(passing, socket.MSG_MORE)
                    return
            if server in self._silent:
                self.swallowed += 1
            else:
                client.sendall(passing)


def _messages(server: socket.socket) -> Iterator[list[bytes]]:
    """Yield the messages that have come whole."""
    held = b""
    while octets := server.recv(65536):
        held += octets
        whole = []
        while len(held) >= 5 and len(held) > (length := int.from_bytes(held[1:5])):
            whole.append(held[: length + 1])
            held = held[length + 1 :]
        yield whole


def _pass_on(client: socket.socket, server: socket.socket) -> None:
    with suppress(OSError):
        while octets := client.recv(65536):
            server.sendall(octets)
        server.shutdown(socket.SHUT_WR)
