"""Three NATS servers for the tests of one module, or a single one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from esito.bus.nats import JetStreamBus
from esito.cluster.nats import NatsCluster


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
async def bus_on(cluster: NatsCluster, *, most: int = 1 << 30) -> AsyncIterator[JetStreamBus]:
    """Work with the log on these servers."""
    bus = JetStreamBus(cluster.servers, monitors=cluster.monitors, replicas=len(cluster.nodes), most=most)
    await bus.open()
    try:
        yield bus
    finally:
        await bus.close()
