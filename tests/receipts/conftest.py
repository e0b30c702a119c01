"""The cases of the tests, several at a time."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from tests.kit.place import prepare
from tests.receipts.runner import AT_ONCE, LOG_SERVERS, run_case
from tests.receipts.server import warm_up


@pytest.fixture(scope="session")
def played(request: pytest.FixtureRequest) -> Iterator[Callable[[dict[str, Any], str], list[str]]]:
    """Play every case that was chosen of a kind; what this yields waits for one, and returns what does not hold."""
    items = [item for item in request.session.items if isinstance(item, pytest.Function)]
    chosen: list[dict[str, Any]] = [item.callspec.params for item in items if "played" in item.fixturenames]
    running: dict[tuple[str, str], Future[list[str]]] = {}
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="case") as pool:

        def begin(kind: str) -> None:
            prepare(kind, log_servers=LOG_SERVERS)
            warm_up()
            for one in chosen:
                if one["kind"] == kind:
                    running[one["case"]["id"], kind] = pool.submit(run_case, one["case"], kind)

        def result(case: dict[str, Any], kind: str) -> list[str]:
            if (case["id"], kind) not in running:
                begin(kind)
            return running[case["id"], kind].result()

        yield result
        pool.shutdown(cancel_futures=True)
