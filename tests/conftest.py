"""What holds for every test."""

import gc
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.kit import left_over, ram
from tests.kit.lanes import OUTAGE, Dealer, put_in_order, workers
from tests.kit.needs import stop_without
from tests.kit.patience import HANGS, wait_until

LEFT_OVER = pytest.StashKey[list[str]]()

# Whoever makes a client, and every process that is begun, reads the certificates of all authorities, a twentieth of a
# second of the processor. No test asks anybody whom one of those vouches for: it is one certificate, of nobody.
os.environ["SSL_CERT_FILE"] = str(Path(__file__).with_name("kit") / "nobody.pem")
os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(ram.place()))  # where `tmp_path` is

# Looking for garbage after every 700 objects, as is usual, takes a fifth of the processor's time of short tests.
gc.set_threshold(30_000, 20, 50)

# What failed by chance can be repeated; how long an example takes says nothing on a busy machine. Who writes looks for
# new examples each time; what guards a release judges it by the same ones.
settings.register_profile(
    "tests",
    derandomize="CI" in os.environ,
    print_blob=True,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
settings.register_profile("quick", settings.get_profile("tests"), max_examples=20)  # what `make check` asks for
settings.load_profile("tests")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    left_over.begin()
    config.stash[LEFT_OVER] = []
    if config.option.timeout is None:
        config.option.timeout = HANGS


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    put_in_order(items)


def pytest_collection_finish() -> None:
    gc.freeze()  # seven thousand tests need not be looked through for garbage again and again


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Dealer:
    return Dealer(config, log)


@pytest.hookimpl(tryfirst=True, optionalhook=True)
def pytest_xdist_auto_num_workers() -> int | None:
    return None if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ else workers()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("needs"):
        stop_without(mark.args)


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run when a process survives it; a worker of several tells who deals out the tests."""
    left_over.end_all()
    found = session.config.stash[LEFT_OVER]
    try:
        wait_until(lambda: not left_over.left_over(), times=0.2)  # some are just ending
    except AssertionError:
        found += left_over.left_over()
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_over"] = found
    elif found:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    node.config.stash[LEFT_OVER].extend(getattr(node, "workeroutput", {}).get("left_over", []))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    # Here, as the process that deals out the tests reads no conftest of their folders.
    said = [one for those in terminalreporter.stats.values() for one in those if getattr(one, "when", "") == "teardown"]
    told = [line for report in said for name, line in report.user_properties if name == OUTAGE]
    for title, lines in (("outages", told), ("processes that the tests left behind", config.stash[LEFT_OVER])):
        if lines:
            terminalreporter.section(title)
        for line in lines:
            terminalreporter.line(line)
