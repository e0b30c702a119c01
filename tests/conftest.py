"""What holds for every test."""

import pytest

from tests.kit.needs import stop_without


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    for mark in item.iter_markers("needs"):
        stop_without(mark.args)
