"""A socket that counts who connects, and says to each what a test wants."""

import socket
import threading
import time
from typing import Self

OK = b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n"


class Listener:
    """Listens on the loopback address; each connection is answered once its request has come."""

    def __init__(self, answer: bytes = OK, *, pause: float = 0.0, endless: bytes = b"") -> None:
        """Say `answer`, then, after `pause` seconds each time, `endless` again and again."""
        self._answer = answer
        self._pause = pause
        self._endless = endless
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self.connections = 0
        self.requests: list[bytes] = []
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._take, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        self._socket.close()

    def _take(self) -> None:
        while True:
            try:
                connected, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._answer_one, args=(connected,), daemon=True).start()

    def _answer_one(self, connected: socket.socket) -> None:
        with connected:
            try:
                self.requests.append(_request(connected))
                connected.sendall(self._answer)
                while self._endless and not self._ending.wait(self._pause):
                    connected.sendall(self._endless)
                if self._pause and not self._endless:
                    time.sleep(self._pause)
            except OSError:
                pass  # the other end has gone


def _request(connected: socket.socket) -> bytes:
    octets = b""
    while b"\r\n\r\n" not in octets:
        piece = connected.recv(65536)
        if not piece:
            return octets
        octets += piece
    head, _, body = octets.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
    while len(body) < length:
        body += connected.recv(65536)
    return head + b"\r\n\r\n" + body
