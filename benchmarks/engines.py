"""PostgreSQL and NATS servers of a measurement, with the settings that keep what they acknowledge."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

from esito.cluster.nats import NatsCluster
from esito.cluster.postgres import PostgresCluster
from esito.cluster.postgres_roles import connect

TUNED = {
    "shared_buffers": "6GB",
    "max_wal_size": "16GB",
    "checkpoint_timeout": "30min",
    "wal_compression": "lz4",
}
"""For a server that has this much memory; what decides about durability stays as it comes."""


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


@contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Run one PostgreSQL server; yield the URL of an empty database."""
    folder.mkdir(parents=True, exist_ok=True)
    cluster = PostgresCluster(folder / "postgres", standbys=0)
    with serving(cluster) as do:
        (node,) = cluster.nodes
        do(_tune(node.url))
        do(cluster.stop())
        do(cluster.start())
        yield node.url


async def _tune(url: str) -> None:
    connection = await connect(url)
    for name, value in TUNED.items():
        await connection.execute(f"ALTER SYSTEM SET {name} = '{value}'")
    await connection.close()


@contextmanager
def nats(folder: Path) -> Iterator[NatsCluster]:
    """Run three NATS servers."""
    cluster = NatsCluster(folder / "nats")
    with serving(cluster):
        yield cluster
