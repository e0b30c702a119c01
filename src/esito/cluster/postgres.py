"""PostgreSQL on loopback as it runs in production: a primary, standbys by streaming, and commits that wait for one.

For demonstrations, tests and measurements. A production cluster has its nodes on machines of their own;
`docs/howto/operations.md` sets one up by the same settings.
"""

import asyncio
from pathlib import Path

from esito.cluster.postgres_node import NAME, PostgresNode
from esito.cluster.postgres_programs import find_programs, give_away
from esito.cluster.postgres_roles import await_streaming, connect, make_slot, set_quorum


class PostgresCluster:
    """A primary and its standbys in one folder; node 0, `first`, begins as the primary, `standby1` is node 1.

    A node keeps its name whatever its role: that is what other nodes know it by.
    """

    def __init__(self, directory: Path, standbys: int = 2, *, archive: Path | None = None) -> None:
        """`archive`: a folder, made by us, in which every finished piece of the log is kept for later.

        When root runs this, the server's processes run as the user `postgres`, who must be able to reach the folder.
        """
        self._directory = directory
        self._names = ["first", *(f"standby{number}" for number in range(1, standbys + 1))]
        self._archive = archive
        self.nodes: list[PostgresNode] = []

    @property
    def url(self) -> str:
        """All of the nodes in one URL; a client that connects by it finds whichever is the primary."""
        hosts = ",".join(f"127.0.0.1:{node.port}" for node in self.nodes)
        return f"postgresql://{NAME}@{hosts}/{NAME}?target_session_attrs=read-write"

    def node(self, number: int) -> PostgresNode:
        """Return one of the nodes, to stop, pause, kill or start it."""
        return self.nodes[number]

    async def start(self) -> None:
        """Make the nodes, unless they are there, and start them. Raises PostgresMissing, ProcessFailed."""
        if not self.nodes:
            await self._create()
        for node in self.nodes:
            if not node.runs:
                await node.start()

    async def stop(self) -> None:
        """Stop every node, the primary first: it hands the last of its log to the standbys."""
        for node in self.nodes:
            await node.stop()

    async def _create(self) -> None:
        programs = await find_programs()
        give_away(self._directory)
        if self._archive is not None:
            give_away(self._archive)
        self.nodes = [PostgresNode(name, self._directory / name, programs) for name in self._names]
        primary, *standbys = self.nodes
        await primary.create(archive=self._archive)
        await primary.start()
        await _prepare(primary, [node.name for node in standbys])
        await asyncio.gather(*(node.copy_from(primary.url) for node in standbys))
        for node in standbys:
            await node.start()
        await _demand_quorum(primary, [node.name for node in standbys])


async def _prepare(primary: PostgresNode, standbys: list[str]) -> None:
    connection = await connect(f"{primary.url.rpartition('/')[0]}/postgres")
    try:
        await connection.execute(f"CREATE DATABASE {NAME}")
        for name in standbys:
            await make_slot(connection, name)
    finally:
        await connection.close()


async def _demand_quorum(primary: PostgresNode, standbys: list[str]) -> None:
    connection = await connect(primary.url)
    try:
        for name in standbys:
            await await_streaming(connection, name)
        await set_quorum(connection, standbys)
    finally:
        await connection.close()
