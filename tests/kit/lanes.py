"""How the tests are dealt out to several processes at a time.

Tests that share an engine of their own stay in one process, one after the other; all others go by file, as fixtures of
a module are made once. What takes longest begins first. Of the rest, what waits more than it works takes turns with
what works: while some processes wait, the others have the processor.
"""

import os
from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

LONGEST_FIRST = (
    "tests/faults/",
    "tests/receipts/",
    "tests/torture/",
    "tests/flows/",
    "tests/unit/cluster/",
    "tests/histories/",
)
"""How the names of files begin that are begun first."""

WAIT = (
    "tests/unit/receipt_log/",
    "tests/test_left_over.py",
    "tests/unit/links/",
    "tests/unit/lifecycle/",
    "tests/unit/webhooks/",
    "tests/unit/store/",
)
"""How the names of files begin whose tests wait more than they work."""

TOGETHER = ("tests/faults/", "tests/receipts/")
"""Folders whose tests share an engine that takes long to start."""

EACH_ALONE = ("tests/torture/", "tests/unit/cluster/")
"""Folders whose tests share nothing: each may run in another process."""

MORE, MOST = 3, 8
"""Processes beyond the number of processors, and altogether: each may have a PostgreSQL and four NATS servers."""

OUTAGE = "outage"
"""Name of the property by which a test says how long something did not work: the end of the run tells all of them."""


def workers() -> int:
    """Return how many processes share the tests: some more than there are processors, as many tests wait."""
    return min((os.cpu_count() or 1) + MORE, MOST)


class Dealer(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
    """Deals out groups of tests in the order in which they were collected."""

    def __init__(self, config: pytest.Config, log: Any = None) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        return group_of(nodeid)


def group_of(test: str) -> str:
    """Return the name of the group to which a test belongs; it is named as on the command line."""
    file = test.partition("::")[0]
    if file.startswith(TOGETHER):
        return file.rpartition("/")[0]
    return test if file.startswith(EACH_ALONE) else file


def put_in_order(items: list[pytest.Item]) -> None:
    """Put what takes long first, and the rest in turns."""
    items.sort(key=_place)
    groups = dict.fromkeys(group_of(item.nodeid) for item in items if _place(item)[0] == len(LONGEST_FIRST))
    waiting = [group for group in groups if group.startswith(WAIT)]
    turns = {
        group: turn
        for turn, group in enumerate(_in_turns(waiting, [group for group in groups if not group.startswith(WAIT)]))
    }
    items.sort(key=lambda item: turns.get(group_of(item.nodeid), -1))


def _in_turns(some: Sequence[str], others: Sequence[str]) -> Iterator[str]:
    for pair in zip_longest(some, others):
        yield from (one for one in pair if one is not None)


def _place(item: pytest.Item) -> tuple[int, str]:
    file = item.nodeid.partition("::")[0]
    folder = next((place for place, name in enumerate(LONGEST_FIRST) if file.startswith(name)), len(LONGEST_FIRST))
    return folder, _kind(item) if file.startswith("tests/receipts/") else ""


def _kind(item: pytest.Item) -> str:
    """Return which store a case of the receipts is played on: all those of one are begun together."""
    given = item.callspec.params if isinstance(item, pytest.Function) and hasattr(item, "callspec") else {}
    return str(given.get("kind", ""))
