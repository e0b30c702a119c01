"""A whole cluster with two operators and senders, on which one part after the other may fail."""

import asyncio
import re
import threading
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import asyncpg

from esito_cluster.installation import Installation, LinkTo
from esito_cluster.nats import NatsCluster, NatsNode
from esito_cluster.patroni import PatroniCluster
from esito_cluster.patroni_node import PatroniNode
from esito_cluster.places import Place
from esito_cluster.process import ProcessFailed
from tests.kit.nats import make_leader
from tests.kit.patience import A_TRY, HANGS, PATIENCE
from tests.torture.house import Sender, until
from tests.torture.network import Network
from tests.torture.witness import Witness

T = TypeVar("T")

A_CLUSTER = ("postgres", "patroni", "etcd", "nats")
"""What it needs, by the names of tests/kit/needs.py."""

STREAM = "ESITO_RECEIPTS"
FIRST_NUMBERS = {"north": 50_000_000, "south": 0}
"""Numbers that begin with 3365 go north."""


@dataclass(frozen=True, slots=True)
class Entrance:
    """Where a sender knocks."""

    url: str
    key: str


class Load(Sender):
    """A sender that begins with a number of its own."""

    def __init__(self, entrance: Any, first: int) -> None:
        super().__init__(entrance, pause=0.15, count=2)
        self._numbers = first


@dataclass(frozen=True, slots=True, kw_only=True)
class Hosts:
    """Where the servers of the log and of the database are."""

    places: Sequence[Place]
    network: Network | None = None
    """What can cut the third servers off; None where all are on one host."""
    small: Path | None = None
    """The small disk of the second server of the log."""


@dataclass(slots=True)
class Stage:
    """The cluster in a loop of its own, driven from the thread of a test."""

    installation: Installation
    hosts: Hosts
    witnesses: dict[str, Witness]
    loop: asyncio.AbstractEventLoop
    key: str = ""
    admin_key: str = ""
    sent: int = 0
    """How many numbers earlier tests may have used."""
    told: list[str] = field(default_factory=list)
    """What is printed at the end of all tests: what failed, and for how long what did not work."""

    def run(self, doing: Coroutine[Any, Any, T]) -> T:
        """Do something in the cluster's loop."""
        return asyncio.run_coroutine_threadsafe(doing, self.loop).result(HANGS)

    def make_whole(self) -> None:
        """Start what does not run; every link is bound again when this returns."""
        self.run(self.installation.start())
        until(self.bound)

    def bound(self) -> bool:
        """Return whether every link is bound, as the api processes are told."""
        api = self.installation.of("api")[-1]
        _, body = self.run(api.ask("/v2/links", headers={"Authorization": f"Bearer {self.admin_key}"}))
        return body.count('"state":"bound"') == 2 * len(self.witnesses)  # a link and its one session

    # -- load ---------------------------------------------------------------------------------

    @contextmanager
    def load(self) -> Iterator[list[Load]]:
        """Send without pause by both api processes, to both operators, until the block ends."""
        self.sent += 200_000
        entrances = [Entrance(api.url, self.key) for api in self.installation.of("api")]
        loads = [
            Load(entrance, FIRST_NUMBERS[name] + self.sent + number * 100_000)
            for name in self.witnesses
            for number, entrance in enumerate(entrances)
        ]
        try:
            for one in loads:
                one.start()
            yield loads
        finally:
            for one in loads:
                one.stop()

    def flows(self, loads: list[Load], *, at_least: int = 30) -> None:
        """Return once receipts of every operator were acknowledged, and every sender was answered, from now on."""
        acknowledged = {name: len(one.acknowledged) for name, one in self.witnesses.items()}
        accepted = [len(one.accepted) for one in loads]

        def all_flow() -> bool:
            receipts = [len(one.acknowledged) - acknowledged[name] for name, one in self.witnesses.items()]
            sends = [len(one.accepted) - before for one, before in zip(loads, accepted, strict=True)]
            return min(receipts) >= at_least and min(sends) >= 3

        until(all_flow, times=2)

    # -- what must be found --------------------------------------------------------------------

    def holder(self, link: str) -> str:
        """Return the name of the gateway that holds a link."""
        found = [
            server.name
            for server in self.installation.of("gateway")
            if server.process.runs
            and f'esito_link_up{{direction="receiving",link="{link}"}} 1.0' in self._metrics(server)
        ]
        assert len(found) == 1, f"{link} is held by {found}"
        return found[0]

    def _metrics(self, server: Any) -> str:
        return str(self.run(server.ask("/metrics", within=A_TRY))[1])

    def primary(self) -> PatroniNode:
        """Return the node that is the primary."""
        found: PatroniNode = until(lambda: self.run(self.installation.postgres.primary()), "there is no primary")
        return found

    def switch_to(self, name: str) -> None:
        """Make a node the primary, as docs/howto/operations.md says."""
        old = self.primary()
        if old.name != name:
            self.run(self.installation.postgres.switch_over(old, name))

    def standbys_follow(self) -> None:
        """Return once there is a primary that both others follow, the old one too."""
        until(lambda: self.run(self.installation.postgres.is_whole()), times=2)

    # -- the log ------------------------------------------------------------------------------

    def leader(self) -> NatsNode:
        """Return the server that leads the stream."""
        found: list[NatsNode] = []

        def there_is() -> bool:
            found[:] = [node] if (node := self.run(self.installation.nats.leader_of(STREAM))) else []
            return bool(found)

        until(there_is)
        return found[0]

    def lead(self, name: str) -> None:
        """Make a server the leader of the stream."""
        self.run(make_leader(self.installation.nats, STREAM, name))

    def replicas_agree(self) -> None:
        """Return once every server that keeps the stream is there and has all of it."""

        def they_do() -> bool:
            try:
                self.run(self.installation.run("bus", "status"))
            except ProcessFailed:
                return False
            return True

        until(they_do)

    def sent_again(self) -> int:
        """Return how many frames the gateways had to send again."""
        told = [self._metrics(server) for server in self.installation.of("gateway")]
        found = re.findall(r"^esito_log_frames_sent_again_total (\S+)", "\n".join(told), re.MULTILINE)
        return int(sum(map(float, found)))

    def waiting_frames(self) -> int:
        """Return how many frames of the gateways the store has not confirmed."""
        told = [self._metrics(server) for server in self.installation.of("gateway")]
        found = re.findall(r"^esito_spool_frames_unconfirmed (\S+)", "\n".join(told), re.MULTILINE)
        return int(sum(map(float, found)))

    # -- the database -------------------------------------------------------------------------

    def query(self, sql: str, *words: object) -> list[Any]:
        """Ask the database."""
        return self.run(_query(self.installation.postgres.url, sql, *words))

    def missing(self, loads: list[Load]) -> list[str]:
        """Return what was answered and is not in the store."""
        promised = {number: numbers for one in loads for number, (_, _, numbers) in list(one.accepted.items())}
        acknowledged = [one.smsc_id for each in self.witnesses.values() for one in each.acknowledged]
        rows = self.query(
            "SELECT message_id, array_agg('+' || msisdn ORDER BY seq) FROM recipient WHERE message_id = ANY($1)"
            " GROUP BY 1",
            list(promised),
        )
        found = {row[0]: list(row[1]) for row in rows}
        trail = {row[0] for row in self.query("SELECT DISTINCT smsc_id FROM trail")}
        lost = [f"message {number}" for number, numbers in promised.items() if found.get(number) != numbers]
        return lost + [f"receipt {smsc_id}" for smsc_id in acknowledged if smsc_id not in trail]

    def settled(self, loads: list[Load]) -> None:
        """Hold everything to its promises, once what is under way has come."""
        self.flowed(loads)
        until(lambda: not self.missing(loads), lambda: self.missing(loads))  # what was acknowledged may be in the log
        until(lambda: self.waiting_frames() == 0)  # some were never acknowledged, and yet come
        assert self.run(self.installation.run("check")).strip() == "The books balance."
        for name, witness in self.witnesses.items():
            assert len(witness.submitted) == len(set(witness.submitted)), f"{name} got a segment twice"

    def flowed(self, loads: list[Load]) -> None:
        """Wait until all that was accepted is decided, but for what is uncertain."""
        promised = [number for one in loads for number in list(one.accepted)]

        def undecided() -> list[Any]:
            return self.query(
                "SELECT r.message_id, r.seq, r.state, r.link, s.part, s.phase, s.link, s.smsc_id, s.submitted_at"
                " FROM recipient r LEFT JOIN segment s ON s.message_id = r.message_id AND s.seq = r.seq"
                " WHERE r.message_id = ANY($1) AND r.state BETWEEN 0 AND 2 AND s.phase IS DISTINCT FROM 5",
                promised,
            )

        until(lambda: not undecided(), lambda: f"neither decided nor uncertain: {undecided()}")

    def report(self, what: str, loads: list[Load], since: float) -> None:
        """Note how long no send was accepted and no receipt acknowledged, from a moment on."""
        accepted = sorted(at for one in loads for at, _, _ in list(one.accepted.values()))
        self.told.append(f"{what}: no send was accepted for {longest_pause(accepted, since):.1f} s")
        for name, witness in self.witnesses.items():
            pause = longest_pause([one.at for one in witness.acknowledged], since)
            self.told.append(f"{what}: no receipt of {name} was acknowledged for {pause:.1f} s")


def longest_pause(moments: list[float], since: float) -> float:
    """Return the longest time between two moments, of which the later is after `since`."""
    return max((later - former for former, later in pairwise(moments) if later > since), default=0)


async def _query(url: str, sql: str, *words: object) -> list[Any]:
    connection = await asyncpg.connect(url, timeout=PATIENCE)
    try:
        return list(await connection.fetch(sql, *words))
    finally:
        await connection.close()


@contextmanager
def a_stage(folder: Path, hosts: Hosts) -> Iterator[Stage]:
    """Run a cluster until the block ends."""
    loop = asyncio.new_event_loop()
    # A process ends with the thread that began it, and waits on the loop that began it.
    thread = threading.Thread(target=loop.run_forever, name="cluster", daemon=True)
    thread.start()
    with Witness(initial="N") as north, Witness(initial="S") as south:
        links = [
            LinkTo(name="north", port=north.port, operator="north", prefixes=("+3365",)),
            LinkTo(name="south", port=south.port, operator="south"),
        ]
        nats = NatsCluster(folder / "nats", places=hosts.places)
        postgres = PatroniCluster(folder / "postgres", places=hosts.places)
        installation = Installation(folder, links, nats=nats, postgres=postgres)
        stage = Stage(installation, hosts, {"north": north, "south": south}, loop)
        try:
            stage.run(stage.installation.start())
            told = stage.run(stage.installation.run("account", "create", "acme", "--credit", "1000000", "--json"))
            stage.key = told.partition('"apiKey": "')[2].partition('"')[0]
            told = stage.run(stage.installation.run("admin", "create", "tests", "--json"))
            stage.admin_key = told.partition('"adminKey": "')[2].partition('"')[0]
            until(stage.bound)
            yield stage
        finally:
            stage.run(stage.installation.stop())
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()
