"""One cluster for all these tests: to start it takes longer than most faults last."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.stage import Stage, a_stage
from tests.kit.needs import stop_without

OUTAGE = "outage"


@pytest.fixture(scope="package")
def running(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """A cluster that runs until the last of these tests."""
    stop_without(("postgres", "nats"))
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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how long each outage was."""
    reports = [
        one for those in terminalreporter.stats.values() for one in those if getattr(one, "when", "") == "teardown"
    ]
    told = [line for one in reports for name, line in one.user_properties if name == OUTAGE]
    if told:
        terminalreporter.section("outages")
    for line in told:
        terminalreporter.line(line)
