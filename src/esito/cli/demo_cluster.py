"""`esito demo --cluster`: every role twice, PostgreSQL kept by Patroni, three NATS servers, and the simulator."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

from esito.app.wiring import key_secret, open_store
from esito.config import Settings, load
from esito.domain.errors import EsitoError
from esito.domain.timing import PushableClock
from esito.lifecycle.clocks import LOOK_EVERY, follow
from esito.simulator.smsc import Smsc, SmscSettings
from esito.store.interface.store import Store
from esito_cluster.etcd import EtcdMissing
from esito_cluster.installation import Installation, LinkTo
from esito_cluster.nats import NatsMissing
from esito_cluster.patroni_program import PatroniMissing
from esito_cluster.postgres_programs import PostgresMissing
from esito_cluster.process import ProcessFailed


class ClusterFailed(EsitoError):
    """A part of the cluster is not installed or did not start; the text names it and its log."""


PREFIXES = {"north": ("+3361234000",), "south": ()}
"""The links; numbers of the demo that end in 0000 to 0009 go by the first."""

Account = Callable[[Store, bytes, int], Awaitable[None]]
Ready = Callable[[str, Smsc], Awaitable[None]]


async def run_cluster(folder: Path, address: str, account: Account, ready: Ready) -> None:
    """Run the cluster until SIGINT or SIGTERM.

    `account` is called with the store, the key secret and the time; `ready` with the address of each part, once
    everything runs.
    Raises ClusterFailed.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stopping.set)
    clock = PushableClock()
    simulator = Smsc(SmscSettings(port=0, journal=folder / "smsc.log"), clock=clock)
    await simulator.start()
    links = [LinkTo(name=name, port=simulator.port, prefixes=prefixes) for name, prefixes in PREFIXES.items()]
    installation = Installation(folder, links, listen=address, pushable=True)
    try:
        if not await _done_before(stopping, installation.start()):
            return
        await _serve(
            load(installation.config, _ours()), clock, stopping, account, lambda: ready(_where(installation), simulator)
        )
    except (ProcessFailed, PostgresMissing, PatroniMissing, EtcdMissing, NatsMissing) as error:
        raise ClusterFailed(str(error)) from error
    finally:
        await installation.stop()
        await simulator.stop()


async def _done_before(stopping: asyncio.Event, doing: Coroutine[Any, Any, None]) -> bool:
    """Return whether it is done; what is not when we are told to stop is cancelled."""
    task, told = asyncio.ensure_future(doing), asyncio.ensure_future(stopping.wait())
    await asyncio.wait({task, told}, return_when=asyncio.FIRST_COMPLETED)
    told.cancel()
    if task.done():
        task.result()
        return True
    task.cancel()
    await asyncio.wait({task})
    return False


async def _serve(
    settings: Settings,
    clock: PushableClock,
    stopping: asyncio.Event,
    account: Account,
    ready: Callable[[], Awaitable[None]],
) -> None:
    async with open_store(settings, actor="demo") as store:
        await account(store, key_secret(settings), clock.now())
        # The simulator follows the clock of the servers with a delay, so that it sends nothing from their future.
        following = asyncio.ensure_future(follow(store, clock, after=4 * LOOK_EVERY))
        await ready()
        await stopping.wait()
        following.cancel()


def _ours() -> dict[str, str]:
    """Return the environment without settings of Esito: the cluster has its own file."""
    return {name: value for name, value in os.environ.items() if not name.startswith("ESITO_")}


def _where(installation: Installation) -> str:
    """Return the address of each part, a line for each."""
    lines = [f"{server.name:<10}{server.url}" for server in installation.servers]
    lines += [f"{node.name:<10}{node.url}  {node.rest}" for node in installation.postgres.nodes]
    lines += [f"{'etcd':<10}{installation.postgres.etcd.url}"]
    lines += [f"{node.name:<10}{node.url}  {node.monitor}" for node in installation.nats.nodes]
    lines += [f"{'settings':<10}{installation.config}", f"{'logs':<10}{installation.folder}"]
    return "\n".join(f"  {line}" for line in lines)
