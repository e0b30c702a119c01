"""NATS servers for the tests: three for a whole run, or some of one test's own that it may kill."""

import asyncio
import atexit
import shutil
import tempfile
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from itertools import count
from pathlib import Path

from esito.bus.nats import STREAM, JetStreamBus
from esito.cluster.nats import NatsCluster

_numbers = count(1)


@asynccontextmanager
async def nats_servers(folder: Path, nodes: int = 3, **settings: str) -> AsyncIterator[NatsCluster]:
    """Run servers until the block ends."""
    cluster = NatsCluster(folder, nodes, **settings)
    try:
        await cluster.start()
        yield cluster
    finally:
        await cluster.stop()


@asynccontextmanager
async def bus_on(cluster: NatsCluster, *, most: int = 1 << 28, stream: str = STREAM) -> AsyncIterator[JetStreamBus]:
    """Work with the log on these servers."""
    bus = JetStreamBus(
        cluster.servers, monitors=cluster.monitors, replicas=len(cluster.nodes), most=most, stream=stream
    )
    await bus.open()
    try:
        yield bus
    finally:
        await bus.close()


def a_stream() -> str:
    """Return a name that no other test gives to its stream."""
    return f"TEST_{next(_numbers)}"


@cache
def shared_servers() -> NatsCluster:
    """Start three servers, unless they run; they end with the run of the tests."""
    folder = Path(tempfile.mkdtemp(prefix="esito-nats-"))
    loop = asyncio.new_event_loop()
    # A process ends with the thread that began it, and waits on the loop that began it: both last as long as the run.
    threading.Thread(target=loop.run_forever, name="nats servers", daemon=True).start()
    cluster = NatsCluster(folder, most="64G")
    asyncio.run_coroutine_threadsafe(cluster.start(), loop).result(60)

    def stop() -> None:
        asyncio.run_coroutine_threadsafe(cluster.stop(), loop).result(60)
        loop.call_soon_threadsafe(loop.stop)
        shutil.rmtree(folder, ignore_errors=True)

    atexit.register(stop)
    return cluster
