"""A server on another host is cut off and comes back; another finds its disk full: nothing acknowledged is missing."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from esito_cluster.nats import NatsCluster
from esito_cluster.patroni import PatroniCluster
from esito_cluster.places import Place
from tests.faults.stage import A_CLUSTER, Stage, a_stage
from tests.kit.needs import needs
from tests.kit.patience import moment
from tests.torture.network import Network

pytestmark = needs(*A_CLUSTER, "network namespaces", "mounts")

SMALL_MB = 64


@pytest.fixture(scope="module")
def odd(request: pytest.FixtureRequest, running: Stage) -> Iterator[tuple[Stage, Network, Path]]:
    """A cluster whose third servers, of the log and of the database, are on another host.

    The second server of the log has a small disk.
    """
    running.run(running.installation.stop())  # two clusters at once would only slow each other down
    folder = Path(tempfile.mkdtemp(prefix="esito-faults-"))
    small = folder / "nats" / "nats2"
    small.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SMALL_MB}m", "tmpfs", str(small)], check=True)
    try:
        with Network() as network:
            ours = Place(network.ours)
            places = [ours, ours, Place(network.operators, ("ip", "netns", "exec", network.far))]
            nats = NatsCluster(folder / "nats", places=places)
            postgres = PatroniCluster(folder / "postgres", places=places)
            with a_stage(folder, nats, postgres) as stage:
                stage.told = running.told
                yield stage, network, small
    finally:
        subprocess.run(["umount", "-l", str(small)], check=True)
    if not request.session.testsfailed:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def stage(odd: tuple[Stage, Network, Path]) -> Stage:
    """The cluster, whole."""
    odd[0].make_whole()
    return odd[0]


def test_the_primary_is_cut_off_and_comes_back(stage: Stage, odd: tuple[Stage, Network, Path]) -> None:
    network = odd[1]
    stage.switch_to("postgres3")
    with stage.load() as loads:
        stage.flows(loads)
        cut = moment()
        network.forward(False)
        try:
            stage.flows(loads)
            assert stage.primary().name != "postgres3"
            stage.report("primary cut off from the others", loads, cut)
        finally:
            network.forward(True)
        stage.standbys_follow()
        stage.replicas_agree()
        stage.flows(loads)
    stage.settled(loads)


def test_the_leader_of_the_stream_is_cut_off_and_comes_back(stage: Stage, odd: tuple[Stage, Network, Path]) -> None:
    network = odd[1]
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


def test_the_disk_of_the_leader_of_the_stream_is_full(stage: Stage, odd: tuple[Stage, Network, Path]) -> None:
    stage.lead("nats2")
    ballast = odd[2] / "ballast"
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
