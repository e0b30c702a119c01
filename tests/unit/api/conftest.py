"""The API in-process, on a store in a file; whatever it does, nothing may hold the event loop for long."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from tests.kit.desk import Desk, desk
from tests.kit.loop_watch import loops_are_let_go


@pytest.fixture(autouse=True)
def _nothing_holds_the_loop() -> Iterator[None]:
    if not structlog.is_configured():  # as the server's log is: a traceback in colours takes a tenth of a second
        plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        structlog.configure(processors=[*structlog.get_config()["processors"][:-1], plain])
    with loops_are_let_go():
        yield


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Desk]:
    with desk(tmp_path) as open_desk:
        yield open_desk
