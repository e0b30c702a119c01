"""Is it alive, is it ready, how is it doing?"""

from collections.abc import Awaitable, Callable
from pathlib import Path

from esito.domain.credentials import monitor_pass
from esito.domain.errors import StoreUnavailable
from esito.domain.timing import RealClock
from esito.store.interface.message_records import Counts
from esito.store.sqlite import SqliteStore
from tests.kit.desk import ADMIN, SECRET, Desk, Reply, desk


def test_a_process_that_runs_says_so(api: Desk) -> None:
    reply = api.ask("GET", "/healthz")
    assert (reply.status, reply.text) == (200, "ok\n")


def readiness(tmp_path: Path, ready: Callable[[], Awaitable[list[str]]]) -> Reply:
    with desk(tmp_path, ready=ready) as api:
        return api.ask("GET", "/readyz/", headers=ADMIN)


def test_a_server_that_lacks_nothing_is_ready(api: Desk) -> None:
    reply = api.ask("GET", "/readyz", headers=ADMIN)
    assert (reply.status, reply.json) == (200, {"ready": True, "missing": []})


def test_a_server_that_is_not_ready_says_what_is_missing(tmp_path: Path) -> None:
    async def ready() -> list[str]:
        return ["no link is bound for receiving"]

    reply = readiness(tmp_path, ready)
    assert (reply.status, reply.json) == (503, {"ready": False, "missing": ["no link is bound for receiving"]})


def test_a_store_that_cannot_be_asked_is_not_ready(tmp_path: Path) -> None:
    async def ready() -> list[str]:
        raise StoreUnavailable("the disk is full")

    assert readiness(tmp_path, ready).json == {"ready": False, "missing": ["the disk is full"]}


def test_metrics_show_what_the_store_holds(api: Desk) -> None:
    api.send("+33611111111", "+33622222222")
    text = api.ask("GET", "/metrics", headers=ADMIN).text
    assert "\nesito_recipients_queued 2.0\n" in text
    assert '\nesito_recipients{status="Waiting"} 2.0\n' in text


class Uncountable(SqliteStore):
    """A store that cannot be asked for its counts."""

    async def counts(self) -> Counts:
        raise StoreUnavailable


def test_metrics_are_shown_even_when_the_store_cannot_be_asked(tmp_path: Path) -> None:
    with desk(tmp_path, store=Uncountable(tmp_path / "other.db")) as api:
        passing = monitor_pass(SECRET, RealClock().now())
        reply = api.ask("GET", "/metrics", headers=[("Authorization", f"Bearer {passing}")])
    assert reply.status == 200
    assert "esito_http_requests" in reply.text


def test_an_administrator_who_has_looked_before_may_look_while_the_store_cannot_be_asked(tmp_path: Path) -> None:
    with desk(tmp_path) as api:
        assert api.ask("GET", "/metrics", headers=ADMIN).status == 200
        api.runner.run(api.store.close())
        assert api.ask("GET", "/metrics", headers=ADMIN).status == 200
        assert api.ask("GET", "/metrics", headers=[("Authorization", "Bearer other")]).status == 503
