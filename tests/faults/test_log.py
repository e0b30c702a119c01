"""A server of the log dies, is cut off, fills up, or finds its file damaged: no acknowledged receipt is missing."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from esito.cluster.nats import NatsCluster, Place
from tests.faults.stage import STREAM, Stage, a_stage
from tests.kit.needs import needs
from tests.kit.patience import moment
from tests.torture.house import until
from tests.torture.network import Network

pytestmark = needs("postgres", "nats")

SMALL_MB = 64


def test_the_leader_of_the_stream_is_killed(stage: Stage) -> None:
    with stage.load() as loads:
        stage.flows(loads)
        leader = stage.leader()
        killed = moment()
        stage.run(leader.process.kill())
        stage.flows(loads)
        stage.report("leader of the stream killed", loads, killed)
        stage.run(leader.process.start())
        stage.replicas_agree()
        stage.flows(loads)
    stage.settled(loads)


def test_a_replica_whose_file_is_cut_short_and_has_a_wrong_byte_becomes_the_leader(stage: Stage) -> None:
    workers = stage.installation.of("worker")
    with stage.load() as loads:
        stage.flows(loads)
        for worker in workers:
            stage.run(worker.process.stop())
        # Now the log alone, and the spools, have what is acknowledged.
        until(lambda: stage.waiting_frames() > 100)
    leader = stage.leader()
    victim = next(node for node in stage.installation.nats.nodes if node is not leader)
    stage.run(victim.process.kill())
    damage(victim.files_of(STREAM)[-1])
    stage.run(victim.process.start())
    stage.replicas_agree()
    stage.lead(victim.name)
    again = stage.sent_again()
    with stage.load() as more:
        for worker in workers:
            stage.run(worker.start())
        stage.flows([*more])
    stage.settled([*loads, *more])
    until(lambda: stage.waiting_frames() == 0)
    stage.told.append(f"replica damaged: {stage.sent_again() - again} frames had to be sent again")


def damage(file: Path) -> None:
    """Cut some records off, and change a byte of one in the middle."""
    with file.open("r+b") as content:
        size = content.seek(0, os.SEEK_END)
        assert size > 4096, "there is nothing to damage"
        content.truncate(size - size // 10)
        content.seek(size // 2)
        (byte,) = content.read(1)
        content.seek(size // 2)
        content.write(bytes([byte ^ 0x10]))
        os.fsync(content.fileno())


# -- servers that can be cut off and filled ------------------------------------------------------


@pytest.fixture(scope="module")
def odd(request: pytest.FixtureRequest, running: Stage) -> Iterator[tuple[Stage, Network, Path]]:
    """A cluster whose third server of the log is on another host, and whose second has a small disk."""
    running.run(running.installation.stop())  # two clusters at once would only slow each other down
    folder = Path(tempfile.mkdtemp(prefix="esito-faults-"))
    small = folder / "nats" / "nats2"
    small.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SMALL_MB}m", "tmpfs", str(small)], check=True)
    try:
        with Network() as network:

            def servers(where: Path) -> NatsCluster:
                ours = Place(network.ours)
                far = Place(network.operators, ("ip", "netns", "exec", network.far))
                return NatsCluster(where, places=[ours, ours, far])

            with a_stage(folder, servers) as stage:
                stage.told = running.told
                yield stage, network, small
    finally:
        subprocess.run(["umount", "-l", str(small)], check=True)


@needs("network namespaces", "mounts")
def test_the_leader_of_the_stream_is_cut_off_and_comes_back(odd: tuple[Stage, Network, Path]) -> None:
    stage, network, _ = odd
    stage.make_whole()
    stage.lead("nats3")
    with stage.load() as loads:
        stage.flows(loads)
        cut = moment()
        network.forward(False)
        try:
            stage.flows(loads)
            assert stage.leader().name != "nats3"
            stage.report("leader of the stream cut off from the others", loads, cut)
        finally:
            network.forward(True)
        stage.replicas_agree()
        stage.flows(loads)
    stage.settled(loads)


@needs("network namespaces", "mounts")
def test_the_disk_of_the_leader_of_the_stream_is_full(odd: tuple[Stage, Network, Path]) -> None:
    stage, _, small = odd
    stage.make_whole()
    stage.lead("nats2")
    ballast = small / "ballast"
    with stage.load() as loads:
        stage.flows(loads)
        full = moment()
        fill(ballast)
        stage.flows(loads)
        stage.report("disk of the stream's leader full", loads, full)
        ballast.unlink()
        node = stage.installation.nats.nodes[1]
        stage.run(node.process.kill())
        stage.run(node.process.start())
        stage.replicas_agree()
        stage.flows(loads)
    stage.settled(loads)


def fill(ballast: Path) -> None:
    """Leave no octet free."""
    with ballast.open("wb", buffering=0) as file:
        for size in (1 << 20, 1 << 12, 1):
            try:
                while True:
                    file.write(bytes(size))
            except OSError:
                continue
