"""Which tests stay together when several processes share them."""

import pytest

from tests.kit.lanes import group_of


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
