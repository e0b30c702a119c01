"""PostgreSQL on loopback as it runs in production: a primary, two standbys, and Patroni that replaces the primary.

For demonstrations and tests. A production cluster has its nodes on machines of their own, and etcd on three of them;
`docs/howto/operations.md` sets one up with the settings of patroni.yml, which are used here too.
"""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import asyncpg

from esito_cluster.etcd import Etcd
from esito_cluster.patroni_node import NAME, PatroniNode
from esito_cluster.patroni_program import find_patroni
from esito_cluster.places import LOOPBACK, Place
from esito_cluster.postgres_programs import find_programs, run
from esito_cluster.process import ProcessFailed

WHOLE_WITHIN = 120.0


class PatroniCluster:
    """Three nodes and their etcd in one folder; which of the nodes is the primary, Patroni decides."""

    def __init__(self, directory: Path, *, places: Sequence[Place] = (LOOPBACK,) * 3) -> None:
        """`places`: where the nodes are; etcd is where the first is.

        When root runs this, Patroni and the servers run as the user `postgres`, who must be able to reach the folder.
        """
        self._patroni: Path | None = None
        self.etcd = Etcd(directory / "etcd", places[0].host)
        self.nodes = [
            PatroniNode(f"postgres{number}", directory / f"postgres{number}", place)
            for number, place in enumerate(places, 1)
        ]

    @property
    def url(self) -> str:
        """All of the nodes in one URL; a client that connects by it finds whichever is the primary."""
        hosts = ",".join(f"{node.host}:{node.port}" for node in self.nodes)
        return f"postgresql://{NAME}@{hosts}/{NAME}?target_session_attrs=read-write"

    async def start(self) -> None:
        """Start what does not run; return when there is a primary that both standbys follow.

        Raises ProcessFailed, PostgresMissing, PatroniMissing, EtcdMissing.
        """
        programs, patroni, _ = await asyncio.gather(find_programs(), self._find_patroni(), self.etcd.start())
        hosts = sorted({"127.0.0.1", *(node.host for node in self.nodes)})
        for node in self.nodes:
            if not node.runs:
                node.configure(self.etcd.address, hosts, programs=programs)
                await node.start(patroni)
        await self._await_whole()
        await _have_database(self.url)

    async def stop(self) -> None:
        """End every node at once, and etcd: an orderly end takes long, and what is acknowledged is on disk."""
        await asyncio.gather(*(node.kill() for node in self.nodes))
        await self.etcd.stop()

    async def primary(self) -> PatroniNode | None:
        """Return the primary, as Patroni knows it; None while there is none."""
        for node in self.nodes:
            for member in await node.members():
                if member["role"] == "leader" and member["state"] == "running":
                    return next(one for one in self.nodes if one.name == member["name"])
        return None

    async def switch_over(self, old: PatroniNode, new: str) -> None:
        """Have a standby take the primary's place, as `patronictl` does. Raises ProcessFailed."""
        control = (await self._find_patroni()).with_name("patronictl")
        words = ["switchover", "--leader", old.name, "--candidate", new, "--force"]
        await run(control, "--config-file", old.config, *words, log=old.log)

    async def is_whole(self) -> bool:
        """Tell whether every node says that there is a primary, and that the others have what it acknowledges."""
        told = await asyncio.gather(*(node.members() for node in self.nodes))
        return all(_is_whole(members, len(self.nodes)) for members in told)

    async def _find_patroni(self) -> Path:
        if self._patroni is None:
            self._patroni = await find_patroni()
        return self._patroni

    async def _await_whole(self) -> None:
        try:
            async with asyncio.timeout(WHOLE_WITHIN):
                while not await self.is_whole():
                    for node in self.nodes:
                        node.require_running()
                    await asyncio.sleep(0.1)
        except TimeoutError:
            logs = ", ".join(str(node.log) for node in self.nodes)
            raise ProcessFailed(f"PostgreSQL has no primary with two standbys; see {logs}") from None


def _is_whole(members: list[dict[str, Any]], count: int) -> bool:
    found = sorted((member["role"], member["state"]) for member in members)
    return found == [("leader", "running"), *[("quorum_standby", "streaming")] * (count - 1)]


async def _have_database(url: str) -> None:
    connection = await asyncpg.connect(url, database="postgres")
    try:
        if not await connection.fetchval("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", NAME):
            await connection.execute(f"CREATE DATABASE {NAME}")
    finally:
        await connection.close()
