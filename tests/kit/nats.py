"""NATS servers for the tests: some for a whole run, or some of one test's own that it may kill."""

import asyncio
import json
import shutil
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import cache
from itertools import count
from pathlib import Path

import nats

from esito.receipt_log.jetstream import STREAM, JetStreamLog
from esito_cluster.nats import NatsCluster, NatsNode
from tests.kit.left_over import at_end
from tests.kit.patience import A_TRY, PATIENCE, in_time
from tests.kit.ram import a_folder

_numbers = count(1)

HEARTBEAT = 1.0
"""Seconds between two heartbeats of a leader."""
PEACE = 4


@asynccontextmanager
async def nats_servers(
    folder: Path, nodes: int = 3, *, sync: str = "always", most: str = "16G"
) -> AsyncIterator[NatsCluster]:
    """Run servers until the block ends."""
    cluster = NatsCluster(folder, nodes, sync=sync, most=most)
    try:
        await cluster.start()
        yield cluster
    finally:
        await cluster.stop()


@asynccontextmanager
async def log_on(cluster: NatsCluster, *, most: int = 1 << 28, stream: str = STREAM) -> AsyncIterator[JetStreamLog]:
    """Work with the log on these servers."""
    receipt_log = JetStreamLog(
        cluster.servers, monitors=cluster.monitors, replicas=len(cluster.nodes), most=most, stream=stream
    )
    await receipt_log.open()
    try:
        yield receipt_log
    finally:
        await receipt_log.close()


def a_stream() -> str:
    """Return a name that no other test gives to its stream."""
    return f"TEST_{next(_numbers)}"


@cache
def shared_servers(nodes: int = 3) -> NatsCluster:
    """Start so many servers, unless they run; they end with the run of the tests."""
    folder = a_folder("esito-nats-")
    loop = asyncio.new_event_loop()
    # A process ends with the thread that began it, and waits on the loop that began it: both last as long as the run.
    threading.Thread(target=loop.run_forever, name="nats servers", daemon=True).start()
    cluster = NatsCluster(folder, nodes, most="64G")
    asyncio.run_coroutine_threadsafe(cluster.start(), loop).result(PATIENCE)

    def stop() -> None:
        asyncio.run_coroutine_threadsafe(cluster.stop(), loop).result(PATIENCE)
        loop.call_soon_threadsafe(loop.stop)
        shutil.rmtree(folder, ignore_errors=True)

    at_end(stop)
    return cluster


async def make_leader(cluster: NatsCluster, stream: str, name: str) -> None:
    """Have this server lead a stream.

    A wish that is made right after an election is lost, and ends in another election of some seconds: a follower takes
    part only after some heartbeats, which come once a second. So who leads is left in peace for a while before.
    """
    async with in_time(times=5):
        while True:
            leader = await _who_leads_in_peace(cluster, stream)
            if leader.name == name:
                return
            await _step_down(leader.url, stream, name)


async def _who_leads_in_peace(cluster: NatsCluster, stream: str) -> NatsNode:
    """Return which server leads once it has been the same for `PEACE` looks, one a heartbeat."""
    seen: list[NatsNode | None] = []
    while True:
        seen.append(await cluster.leader_of(stream))
        last = seen[-PEACE:]
        if len(last) == PEACE and last[0] is not None and all(node is last[0] for node in last):
            return last[0]
        await asyncio.sleep(HEARTBEAT)


async def _step_down(url: str, stream: str, preferred: str) -> None:
    client = await nats.connect(url, connect_timeout=A_TRY, allow_reconnect=False)
    try:
        wish = json.dumps({"placement": {"preferred": preferred}}).encode()
        await client.request(f"$JS.API.STREAM.LEADER.STEPDOWN.{stream}", wish, timeout=A_TRY)
    except (nats.errors.Error, TimeoutError):
        pass  # it may have been on its way down already; who asks looks again
    finally:
        await client.close()
