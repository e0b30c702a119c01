"""One cluster for all these tests: to start it takes longer than most faults last."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.stage import A_CLUSTER, Stage, a_stage
from tests.kit.lanes import OUTAGE
from tests.kit.needs import stop_without


@pytest.fixture(scope="package")
def running(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """A cluster that runs until the last of these tests."""
    stop_without(A_CLUSTER)
    folder = Path(tempfile.mkdtemp(prefix="esito-faults-"))
    with a_stage(folder) as stage:
        yield stage
    if not request.session.testsfailed:  # the logs of a cluster on which a test failed are there to be read
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def stage(request: pytest.FixtureRequest, running: Stage) -> Iterator[Stage]:
    """The cluster, whole."""
    running.make_whole()
    before = len(running.told)
    yield running
    # With its report, a test's properties reach the process that prints the end.
    request.node.user_properties += [(OUTAGE, line) for line in running.told[before:]]
