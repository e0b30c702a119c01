"""A sender's own server, which notes every callback that comes and answers as a test says."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Self

from tests.kit.serving import Serving


@dataclass(frozen=True, slots=True)
class Heard:
    """One request that came."""

    path: str
    headers: dict[str, str]
    body: bytes
    answered: int

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def sequence(self) -> int:
        return int(self.headers["esito-sequence"])

    @property
    def attempt(self) -> int:
        return int(self.headers["esito-attempt"])


Answering = Callable[[str, dict[str, str]], Awaitable[int]]
"""Path and headers to an HTTP status, after as long as it takes."""


async def take(_path: str, _headers: dict[str, str]) -> int:
    """Say that it came."""
    return 204


@dataclass(slots=True)
class Receiver:
    """An HTTP server on a port of 127.0.0.1, which may go and come back."""

    answering: Answering = take
    retry_after: str = ""
    """What every answer says of it."""
    port: int = 0
    heard: list[Heard] = field(default_factory=list)
    """In the order of the answers."""
    _serving: Serving | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/dlr?secret=1"

    @property
    def taken(self) -> list[Heard]:
        """What was answered with 2xx."""
        return [one for one in self.heard if 200 <= one.answered < 300]

    async def __aenter__(self) -> Self:
        await self.come()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.go()

    async def come(self) -> None:
        self._serving = Serving(self._serve, port=self.port)
        self.port = self._serving.port

    async def go(self) -> None:
        """Refuse connections from now on."""
        if self._serving is not None:
            await self._serving.end()
            self._serving = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                headers = {name.lower(): text.strip() for name, _, text in (line.partition(":") for line in head[1:-2])}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                path = head[0].split(" ")[1]
                status = await self.answering(path, headers)
                self.heard.append(Heard(path, headers, body, status))
                more = f"retry-after: {self.retry_after}\r\n" if self.retry_after else ""
                writer.write(f"HTTP/1.1 {status} X\r\ncontent-length: 4\r\n{more}\r\nsaid".encode() if status != 204
                             else b"HTTP/1.1 204 No Content\r\n\r\n")  # fmt: skip
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
