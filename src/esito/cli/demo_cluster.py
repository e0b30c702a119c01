"""`esito demo --cluster`: every role twice, PostgreSQL with two standbys, three NATS servers, and the simulator."""

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

from esito.app.wiring import key_secret, open_store
from esito.cluster.installation import Installation, LinkTo
from esito.cluster.nats import NatsMissing
from esito.cluster.postgres_programs import PostgresMissing
from esito.cluster.process import ProcessFailed
from esito.config import Settings, load
from esito.domain.errors import EsitoError
from esito.domain.timing import PushableClock
from esito.lifecycle.clocks import LOOK_EVERY, follow
from esito.simulator.smsc import Smsc, SmscSettings
from esito.store.base import Store


class ClusterFailed(EsitoError):
    """A part of the cluster is not installed or did not start; the text names it and its log."""


PREFIXES = {"north": ("+3361234000",), "south": ()}
"""The links; numbers of the demo that end in 0000 to 0009 go by the first."""

Account = Callable[[Store, bytes, int], Awaitable[None]]
Ready = Callable[[Installation, Smsc], Awaitable[None]]


async def run_cluster(folder: Path, address: str, account: Account, ready: Ready) -> None:
    """Run the cluster until SIGINT or SIGTERM.

    `account` is called with the store, the key secret and the time; `ready` once everything runs.
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
        await installation.start()
        await _serve(
            load(installation.config, _ours()), clock, stopping, account, lambda: ready(installation, simulator)
        )
    except (ProcessFailed, PostgresMissing, NatsMissing) as error:
        raise ClusterFailed(str(error)) from error
    finally:
        await installation.stop()
        await simulator.stop()


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


def told(installation: Installation) -> str:
    """Return the address of each part, a line for each."""
    lines = [f"{server.name:<10}{server.url}" for server in installation.servers]
    lines += [f"{node.name:<10}{node.url}" for node in installation.postgres.nodes]
    lines += [f"{node.name:<10}{node.url}  {node.monitor}" for node in installation.nats.nodes]
    lines += [f"{'settings':<10}{installation.config}", f"{'logs':<10}{installation.folder}"]
    return "\n".join(f"  {line}" for line in lines)
