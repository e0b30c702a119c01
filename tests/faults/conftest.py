"""One cluster for all these tests: to start it takes longer than most faults last."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from esito_cluster.places import LOOPBACK, Place
from tests.faults.stage import A_CLUSTER, Hosts, Stage, a_stage
from tests.kit.lanes import OUTAGE
from tests.kit.needs import is_there, stop_without
from tests.torture.network import Network

SMALL_MB = 128


@pytest.fixture(scope="package")
def running(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """A cluster that runs until the last of these tests."""
    stop_without(A_CLUSTER)
    folder = Path(tempfile.mkdtemp(prefix="esito-faults-"))
    with hosts_in(folder) as hosts, a_stage(folder, hosts) as stage:
        yield stage
    if not request.session.testsfailed:  # the logs of a cluster on which a test failed are there to be read
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def hosts_in(folder: Path) -> Iterator[Hosts]:
    """Have another host for the third servers of log and database, and a small disk for the second server of the log.

    Where the machine forbids either, everything is on loopback.
    """
    if not (is_there("network namespaces") and is_there("mounts")):
        yield Hosts(places=[LOOPBACK] * 3)
        return
    small = folder / "nats" / "nats2"
    small.mkdir(parents=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={SMALL_MB}m", "tmpfs", str(small)], check=True)
    try:
        with Network() as network:
            ours, far = Place(network.ours), Place(network.operators, ("ip", "netns", "exec", network.far))
            yield Hosts(places=[ours, ours, far], network=network, small=small)
    finally:
        subprocess.run(["umount", "-l", str(small)], check=True)


@pytest.fixture
def stage(request: pytest.FixtureRequest, running: Stage) -> Iterator[Stage]:
    """The cluster, whole."""
    running.make_whole()
    before = len(running.told)
    yield running
    # With its report, a test's properties reach the process that prints the end.
    request.node.user_properties += [(OUTAGE, line) for line in running.told[before:]]
