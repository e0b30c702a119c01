"""A TCP server in the loop of a test, which ends with all its connections.

`asyncio.start_server` knows a connection some turns of the loop after it was accepted. A test that ends just then
leaves it open, and another test is told of it. Here a connection is known from accept() on.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable

Take = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
"""Serves one connection. What it has said is sent when it returns; when it is cancelled, the connection is aborted."""


class Serving:
    """Listens from the first moment on; `port` is the one it was given."""

    def __init__(
        self, take: Take, *, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None
    ) -> None:
        """Raises OSError when the port is taken."""
        self._take, self._tls = take, tls
        self._loop = asyncio.get_running_loop()
        self._connections: dict[asyncio.Task[None], socket.socket] = {}
        self._transports: list[asyncio.WriteTransport] = []
        self._listening = socket.create_server((host, port))
        self._listening.setblocking(False)
        self.port: int = self._listening.getsockname()[1]
        self._loop.add_reader(self._listening, self._accept)

    async def end(self) -> None:
        """Listen no more, abort every connection. Raises what serving one of them raised."""
        self._loop.remove_reader(self._listening)
        self._listening.close()
        for task in self._connections:
            task.cancel()
        ended = await asyncio.gather(*self._connections, return_exceptions=True)
        for transport in self._transports:
            transport.abort()
        await asyncio.sleep(0)  # transports close in the next turn of the loop
        for connection in self._connections.values():
            connection.close()
        for one in ended:
            if isinstance(one, Exception):
                raise one

    def _accept(self) -> None:
        try:
            connection, _ = self._listening.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        self._connections[self._loop.create_task(self._serve(connection))] = connection

    async def _serve(self, connection: socket.socket) -> None:
        reader = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(reader)
        try:
            transport, _ = await self._loop.connect_accepted_socket(lambda: protocol, connection, ssl=self._tls)
        except OSError:  # no TLS with this one, or it is gone
            return
        writer = asyncio.StreamWriter(transport, protocol, reader, self._loop)
        self._transports.append(writer.transport)
        try:
            await self._take(reader, writer)
        finally:
            writer.close()
