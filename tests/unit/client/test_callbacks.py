"""The client's part of the outbox, sync and async alike."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from esito.client.aio import AsyncClient
from esito.client.models import ApiError
from esito.client.sync import Client

Handler = Callable[[httpx.Request], httpx.Response]
Asked = list[tuple[str, str, dict[str, str], Any]]


def in_turn(*answers: dict[str, Any]) -> tuple[Handler, Asked]:
    """Return a server that gives these answers one after the other, and what it was asked."""
    waiting = list(answers)
    asked: Asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.headers["authorization"] == "Bearer key"
        body = json.loads(request.content) if request.content else None
        asked.append((request.method, request.url.path, dict(request.url.params), body))
        return httpx.Response(200, json={"success": True, "code": 200} | waiting.pop(0))

    return answer, asked


def ask_sync(handler: Handler, name: str, *arguments: Any, **named: Any) -> Any:
    with Client("http://esito.test", "key", transport=httpx.MockTransport(handler)) as client:
        found = getattr(client, name)(*arguments, **named)
        return list(found) if name == "callbacks" else found


def ask_async(handler: Handler, name: str, *arguments: Any, **named: Any) -> Any:
    async def ask() -> Any:
        async with AsyncClient("http://esito.test", "key", transport=httpx.MockTransport(handler)) as client:
            found = getattr(client, name)(*arguments, **named)
            return [one async for one in found] if name == "callbacks" else await found

    return asyncio.run(ask())


@pytest.fixture(params=[ask_sync, ask_async], ids=["sync", "async"])
def ask(request: pytest.FixtureRequest) -> Callable[..., Any]:
    chosen: Callable[..., Any] = request.param
    return chosen


def test_callbacks_are_read_page_after_page(ask: Callable[..., Any]) -> None:
    handler, asked = in_turn(
        {"callbacks": [{"id": 2}], "next_cursor": "5.2"}, {"callbacks": [{"id": 1}], "next_cursor": None}
    )
    assert ask(handler, "callbacks", status="dead", message_id=4711) == [{"id": 2}, {"id": 1}]
    first = {"status": "dead", "message": "4711"}
    assert asked == [
        ("GET", "/v2/callbacks", first, None),
        ("GET", "/v2/callbacks", {"cursor": "5.2"} | first, None),
    ]


def test_one_callback_is_read_with_all_its_members(ask: Callable[..., Any]) -> None:
    handler, asked = in_turn({"id": 7, "log": []})
    assert ask(handler, "callback", 7) == {"id": 7, "log": []}
    assert asked == [("GET", "/v2/callbacks/7", {}, None)]


def test_destinations_are_read_page_by_page(ask: Callable[..., Any]) -> None:
    one, other = "https://example.com:443", "https://example.org:443"
    handler, asked = in_turn(
        {"destinations": [{"origin": one}], "next_cursor": one},
        {"destinations": [{"origin": other}], "next_cursor": None},
    )
    assert ask(handler, "callback_destinations") == [{"origin": one}, {"origin": other}]
    page = "/v2/callbacks/destinations"
    assert asked == [("GET", page, {}, None), ("GET", page, {"cursor": one}, None)]


@pytest.mark.parametrize(
    ("given", "body"),
    [
        ({"callback_id": 7}, {"id": 7}),
        ({"since": "2026-11-23"}, {"since": "2026-11-23"}),
        (
            {"since": datetime(2026, 11, 23, 10, tzinfo=UTC), "dead_only": True},
            {"since": "2026-11-23T10:00:00+00:00", "status": "dead"},
        ),
    ],
)
def test_a_replay_says_which_and_returns_how_many(
    ask: Callable[..., Any], given: dict[str, Any], body: dict[str, Any]
) -> None:
    handler, asked = in_turn({"replayed": 3})
    assert ask(handler, "replay_callbacks", **given) == 3
    assert asked == [("POST", "/v2/callbacks/replay", {}, body)]


def test_a_refused_replay_is_an_error(ask: Callable[..., Any]) -> None:
    handler, _ = in_turn({"success": False, "code": 404, "message": "Notification introuvable"})
    with pytest.raises(ApiError, match=r"Notification introuvable \(code 404\)"):
        ask(handler, "replay_callbacks", 7)
