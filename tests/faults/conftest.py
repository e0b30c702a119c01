"""One cluster for all these tests: to start it takes longer than most faults last."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.faults.stage import Stage, a_stage
from tests.kit.needs import stop_without

OUTAGES = pytest.StashKey[list[tuple[str, str, float]]]()


@pytest.fixture(scope="session")
def running(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """A cluster that runs until the last test."""
    stop_without(("postgres", "nats"))
    folder = Path(tempfile.mkdtemp(prefix="esito-faults-"))
    with a_stage(folder) as stage:
        request.config.stash[OUTAGES] = stage.outages
        yield stage
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def stage(running: Stage) -> Stage:
    """The cluster, whole."""
    running.make_whole()
    return running


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say how long each outage was."""
    outages = config.stash.get(OUTAGES, [])
    if outages:
        terminalreporter.section("outages")
    for what, kind, seconds in outages:
        terminalreporter.line(f"{what}: {kind} for {seconds:.1f} s")
