"""The cases of the tests, several at a time."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from tests.kit.needs import is_there
from tests.kit.place import prepare
from tests.receipts.runner import AT_ONCE, run_case
from tests.receipts.server import warm_up


@pytest.fixture(scope="session")
def played(request: pytest.FixtureRequest) -> Iterator[Callable[[dict[str, Any], str], list[str]]]:
    """Play every case that was chosen; what this yields waits for one, and returns what does not hold."""
    items = [item for item in request.session.items if isinstance(item, pytest.Function) and _is(item)]
    chosen: list[dict[str, Any]] = [item.callspec.params for item in items]
    for kind in {one["kind"] for one in chosen}:
        prepare(kind)
    warm_up()
    with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="case") as pool:
        running: dict[tuple[str, str], Future[list[str]]] = {
            (one["case"]["id"], one["kind"]): pool.submit(run_case, one["case"], one["kind"]) for one in chosen
        }
        yield lambda case, kind: running[case["id"], kind].result()
        pool.shutdown(cancel_futures=True)


def _is(item: pytest.Function) -> bool:
    """Tell whether a test plays a case, of a kind that can be played here."""
    missing = [name for mark in item.iter_markers("needs") for name in mark.args if not is_there(name)]
    return "played" in item.fixturenames and not missing
