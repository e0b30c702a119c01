"""Where a server may keep its things: SQLite, PostgreSQL, or PostgreSQL with receipts through JetStream."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.kit.nats import a_stream, log_on, shared_servers
from tests.kit.postgres import server
from tests.kit.stores import a_place

LOG_SERVERS = 3
"""Servers that keep each record of the log, where nothing else is said."""


@dataclass(frozen=True, slots=True)
class Place:
    """What the server is told of it."""

    store: str
    """The store's URL."""
    sections: str
    """Sections of the configuration."""


@asynccontextmanager
async def place_of(kind: str, folder: Path, *, log_servers: int = LOG_SERVERS) -> AsyncIterator[Place]:
    """Have an empty place of a kind; `folder` is for files."""
    async with a_place(kind, folder) as store:
        section = f"[store]\nurl = {json.dumps(store)}\n"
        if kind == "sqlite":
            yield Place(store, section)
            return
        section += f'secret = "{"5e" * 32}"\n'
        if kind == "postgres":
            yield Place(store, section)
            return
        cluster, stream = await asyncio.to_thread(shared_servers, log_servers), a_stream()
        settings = {
            "url": ",".join(cluster.servers),
            "monitors": list(cluster.monitors),
            "replicas": log_servers,
            "stream": stream,
            "max_megabytes": 64,
            "spool": str(folder / "spool"),
        }
        lines = "".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items())
        try:
            yield Place(store, f"{section}[bus]\n{lines}")
        finally:
            async with log_on(cluster, stream=stream, most=64 << 20) as receipt_log:
                await receipt_log.remove()


@contextmanager
def a_place_for(kind: str, folder: Path) -> Iterator[Place]:
    """Have an empty place of a kind, in a test without a loop."""
    prepare(kind)
    with asyncio.Runner() as runner:
        place = place_of(kind, folder)
        yield runner.run(place.__aenter__())
        runner.run(place.__aexit__(None, None, None))


def prepare(kind: str, *, log_servers: int = LOG_SERVERS) -> None:
    """Start the servers that places of a kind share, so that they end with the thread that asks."""
    if kind != "sqlite":
        server()
    if kind == "postgres+nats":
        shared_servers(log_servers)
