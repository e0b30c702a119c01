"""Which tests stay together when several processes share them."""

from types import SimpleNamespace
from typing import cast

import pytest

from tests.kit.lanes import group_of, put_in_order


@pytest.mark.parametrize(
    ("test", "group"),
    [
        ("tests/faults/test_log.py::test_one", "tests/faults"),
        ("tests/receipts/test_cases.py::test_a_case_holds[P01-sqlite]", "tests/receipts"),
        ("tests/torture/test_kill.py::test_one[a::b]", "tests/torture/test_kill.py::test_one[a::b]"),
        ("tests/unit/test_logs.py::test_one[a@b]", "tests/unit/test_logs.py"),
    ],
)
def test_tests_stay_with_those_they_share_something_with(test: str, group: str) -> None:
    assert group_of(test) == group


def test_the_longest_come_first_and_then_those_that_wait_and_those_that_work_in_turns() -> None:
    files = ["unit/api/a", "unit/api/b", "unit/api/c", "unit/receipt_log/a", "unit/lifecycle/a", "flows/a", "faults/a"]
    items = [SimpleNamespace(nodeid=f"tests/{file}.py::{name}") for file in files for name in ("one", "two")]
    put_in_order(cast("list[pytest.Item]", items))
    order = [item.nodeid.removeprefix("tests/").partition(".py::")[::2] for item in items]
    assert [file for file, name in order if name == "two"] == [
        "faults/a", "flows/a", "unit/receipt_log/a", "unit/api/a", "unit/lifecycle/a", "unit/api/b", "unit/api/c"
    ]  # fmt: skip
    assert order[::2] == [(file, "one") for file, _ in order[1::2]]  # those of a file are together
