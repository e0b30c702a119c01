"""A server on another host is cut off and comes back; another finds its disk full: nothing acknowledged is missing."""

from pathlib import Path

from tests.faults.stage import A_CLUSTER, Stage
from tests.kit.needs import needs
from tests.kit.patience import moment

pytestmark = needs(*A_CLUSTER, "network namespaces", "mounts")


def test_the_primary_is_cut_off_and_comes_back(stage: Stage) -> None:
    network = stage.hosts.network
    assert network is not None
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


def test_the_leader_of_the_stream_is_cut_off_and_comes_back(stage: Stage) -> None:
    network = stage.hosts.network
    assert network is not None
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


def test_the_disk_of_the_leader_of_the_stream_is_full(stage: Stage) -> None:
    stage.lead("nats2")
    assert stage.hosts.small is not None
    ballast = stage.hosts.small / "ballast"
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
