"""What is no endpoint: the lifespan of a server, and pages that break."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from esito.api.asgi_app import build
from esito.api.services import Services
from tests.kit.desk import Desk, Reply, ask, desk


def test_what_is_no_request_is_left_to_starlette(api: Desk) -> None:
    """The lifespan of a server: it starts and stops."""
    events = [{"type": "lifespan.startup"}, {"type": "lifespan.shutdown"}]
    sent = []

    async def receive() -> Any:
        return events.pop(0)

    async def send(event: Any) -> None:
        sent.append(event["type"])

    api.runner.run(api.app({"type": "lifespan"}, receive, send))
    assert sent == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_an_unforeseen_error_of_a_page_is_an_envelope(tmp_path: Path) -> None:
    async def ready() -> list[str]:
        raise RuntimeError

    with desk(tmp_path) as api:
        services = Services(
            store=api.store, acceptance=None, clock=api.clock, key_secret=b"x", ready=ready,  # type: ignore[arg-type]
        )  # fmt: skip
        app = build(services)

        async def caught() -> Reply:
            sent: list[Any] = []

            async def send(event: Any) -> None:
                sent.append(event)

            scope = {"type": "http", "method": "GET", "path": "/readyz", "query_string": b"", "headers": []}
            with pytest.raises(RuntimeError):  # the server logs it
                await app(scope, asyncio.Queue[Any]().get, send)
            return Reply(status=sent[0]["status"], headers={}, body=sent[1]["body"])

        assert api.runner.run(caught()).refused[:2] == (500, 500)
        assert api.runner.run(ask(app, "GET", "/healthz")).status == 200
