"""How the tests are dealt out to several processes at a time.

Tests that share an engine of their own stay in one process, one after the other; all others go by file, as fixtures of
a module are made once. What takes longest begins first: it waits more than it works, and the rest is done beside it.
"""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

LONGEST_FIRST = (
    "tests/faults/",
    "tests/receipts/",
    "tests/torture/",
    "tests/flows/",
    "tests/unit/cluster/",
    "tests/unit/bus/",
    "tests/contracts/",
    "tests/unit/store/",
)
"""Folders; what is in none of them comes last."""

TOGETHER = ("tests/faults/", "tests/receipts/")
"""Folders whose tests share an engine that takes long to start."""

EACH_ALONE = ("tests/torture/", "tests/unit/cluster/")
"""Folders whose tests share nothing: each may run in another process."""

MORE, MOST = 2, 8
"""Processes beyond the number of processors, and altogether: each may have a PostgreSQL and three NATS servers."""


def deal(items: list[pytest.Item]) -> None:
    """Say of each test which others it stays with, and put what takes long first."""
    for item in items:
        file = _file(item)
        if not file.startswith(EACH_ALONE):
            item.add_marker(pytest.mark.xdist_group(file.rpartition("/")[0] if file.startswith(TOGETHER) else file))
    items.sort(key=_place)


def workers() -> int:
    """Return how many processes share the tests: some more than there are processors, as many tests wait."""
    return min((os.cpu_count() or 1) + MORE, MOST)


def _place(item: pytest.Item) -> tuple[int, str]:
    file = _file(item)
    folder = next((place for place, name in enumerate(LONGEST_FIRST) if file.startswith(name)), len(LONGEST_FIRST))
    return folder, _kind(item) if file.startswith("tests/receipts/") else ""


def _kind(item: pytest.Item) -> str:
    """Return which store a case of the receipts is played on: all those of one are begun together."""
    return str(item.callspec.params["kind"]) if isinstance(item, pytest.Function) and hasattr(item, "callspec") else ""


def _file(item: pytest.Item) -> str:
    return item.path.relative_to(ROOT).as_posix()
