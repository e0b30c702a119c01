"""One cluster for all these tests: to start it takes longer than most faults last."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.stage import Stage, a_stage
from tests.kit.needs import stop_without

TOLD = pytest.StashKey[list[str]]()


@pytest.fixture(scope="package")
def running(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """A cluster that runs until the last of these tests."""
    stop_without(("postgres", "nats"))
    folder = Path(tempfile.mkdtemp(prefix="esito-faults-"))
    with a_stage(folder) as stage:
        request.config.stash[TOLD] = stage.told
        yield stage
    if not request.session.testsfailed:  # the logs of a cluster on which a test failed are there to be read
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def stage(running: Stage) -> Stage:
    """The cluster, whole."""
    running.make_whole()
    return running


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say how long each outage was."""
    told = config.stash.get(TOLD, [])
    if told:
        terminalreporter.section("outages")
    for line in told:
        terminalreporter.line(line)
