"""PostgreSQL and NATS servers of a measurement, with the settings that keep what they acknowledge."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import asyncpg

from benchmarks.huge_pages import huge_pages
from esito_cluster.nats import NatsCluster
from esito_cluster.postgres import PostgresServer

TUNED = {
    "shared_buffers": "6GB",
    "max_wal_size": "16GB",
    "checkpoint_timeout": "30min",
    "wal_compression": "lz4",
}
"""For a server that has this much memory; what decides about durability stays as it comes."""

SHARED_MEGABYTES = 6_800
"""All the memory that such a server's processes share."""


class Servers(Protocol):
    """What can be started and stopped."""

    async def start(self) -> None: ...

    async def stop(self) -> None: ...


@contextmanager
def serving(servers: Servers) -> Iterator[Callable[[Coroutine[Any, Any, None]], None]]:
    """Run servers until the block ends; yield what does something in the loop, in a thread of its own, that watches."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def do(doing: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(doing, loop).result(120)

    try:
        do(servers.start())
        yield do
    finally:
        do(servers.stop())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


class Database:
    """A PostgreSQL server alone, and the URL of its empty database."""

    def __init__(self, server: PostgresServer, do: Callable[[Coroutine[Any, Any, None]], None]) -> None:
        self._server = server
        self._do = do
        self.url = server.url

    def restart(self, **settings: str) -> None:
        """Change settings of the server and start it anew."""
        self._do(_tune(self.url, settings))
        self._do(self._server.stop())
        self._do(self._server.start())


@contextmanager
def postgres(folder: Path) -> Iterator[tuple[Database, bool]]:
    """Run one PostgreSQL server, in huge pages where the machine gives them; yield it and whether it has."""
    folder.mkdir(parents=True, exist_ok=True)
    server = PostgresServer(folder / "postgres")
    with huge_pages(SHARED_MEGABYTES) as huge, serving(server) as do:
        database = Database(server, do)
        database.restart(**TUNED, huge_pages="on" if huge else "off")
        yield database, huge


async def _tune(url: str, settings: Mapping[str, str]) -> None:
    connection = await asyncpg.connect(url)
    for name, value in settings.items():
        await connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")
    await connection.close()


@contextmanager
def nats(folder: Path) -> Iterator[NatsCluster]:
    """Run three NATS servers."""
    cluster = NatsCluster(folder / "nats")
    with serving(cluster):
        yield cluster
