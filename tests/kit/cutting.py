"""A way to PostgreSQL that breaks off at a chosen answer of the server, once."""

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

FATAL = b"SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0\0"
LAST_WORDS = b"E" + (len(FATAL) + 4).to_bytes(4) + FATAL
"""What a server says to who asks nothing just then, before it closes the connection."""

CLEARING_UP = 0.03
"""Seconds that a server takes from its last words until the connection is closed."""


class End(Enum):
    """How a connection ends."""

    BEFORE_THE_ANSWER = "before the answer"
    WITH_THE_ANSWER = "with the answer"
    WITH_LAST_WORDS = "with last words"


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
                    elif self._end is End.WITH_THE_ANSWER:  # in one packet
                        client.send(passing, socket.MSG_MORE)
                    return
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
