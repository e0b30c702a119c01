"""Receivers of callbacks that are no good: they accept and never answer, refuse, answer slowly, or close at once."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

KINDS = ("silent", "refusing", "slow", "closing")


@asynccontextmanager
async def dead_receivers(count: int) -> AsyncIterator[list[str]]:
    """Have so many, of all kinds; yield their URLs."""
    async with AsyncExitStack() as doors:
        urls = []
        for place in range(count):
            kind = KINDS[place % len(KINDS)]
            listening = socket.socket()
            doors.callback(listening.close)
            listening.bind(("127.0.0.1", 0))
            urls.append(f"http://127.0.0.1:{listening.getsockname()[1]}/dlr")
            if kind != "refusing":  # that one is bound and does not listen
                server = await asyncio.start_server(_Receiver(kind).take, sock=listening)
                doors.callback(server.close)
        yield urls


class _Receiver:
    """One of them."""

    def __init__(self, kind: str) -> None:
        self._kind = kind

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Treat one connection badly."""
        with suppress(OSError, asyncio.CancelledError):  # asyncio would complain of one that was cancelled
            if self._kind == "silent":
                while await reader.read(65536):
                    pass
            elif self._kind == "slow":
                await reader.readuntil(b"\r\n\r\n")
                for octet in b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n":
                    writer.write(bytes([octet]))
                    await writer.drain()
                    await asyncio.sleep(0.5)
        writer.transport.abort()
