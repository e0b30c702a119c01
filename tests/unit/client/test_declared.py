"""Every call of the client is a declared endpoint: it asks by declared names, and reads the declared example."""

import inspect
import re
from pathlib import Path
from typing import Any

import pytest

from esito.api.endpoints import ENDPOINTS
from esito.api.http.endpoint import AnyEndpoint
from esito.api.http.response import json_of
from esito.client import calls
from tests.kit.declared import names_of

NUMBER = "+33611111111"
EVERYTHING = calls.SendOptions(
    sender="ACME", tag="t", low_cost=True, priority=1, unicode=True, stop_mention=True, sandbox=True,
    url_dlr="https://example.org/dlr", url_response="https://example.org/reply",
)  # fmt: skip

CALLS: list[calls.Call[Any]] = [
    calls.bulk_status(4711),
    calls.bulk_status_text(4711, "json"),
    calls.message_status(4711, NUMBER),
    calls.multi_status([(4711, NUMBER)]),
    calls.bulk_status_by_tag("parcels"),
    calls.send(NUMBER, "ciao", EVERYTHING),
    calls.bulk_send([(NUMBER, "ciao")], EVERYTHING),
    calls.stops(),
    calls.add_stop(NUMBER),
    calls.delete_stop(1),
    calls.me(),
    calls.explain(4711, NUMBER, unmask="a reason"),
    calls.cancel(4712),
    calls.events("0"),
    calls.links(),
    calls.orphans("0"),
    calls.callbacks("0.0", status="dead", message_id=4711),
    calls.callback(1),
    calls.callback_destinations("https://example.org:443"),
    calls.replay_callbacks(1),
    calls.replay_callbacks(since="2027-01-15", dead_only=True),
]


def declared(call: calls.Call[Any]) -> AnyEndpoint:
    """Return the endpoint that a call asks; of two that fit, the one without pieces."""
    fitting = [
        one
        for one in ENDPOINTS
        if one.method == call.method and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", one.path), call.path)
    ]
    return min(fitting, key=lambda one: one.path.count("{"))


@pytest.mark.parametrize("call", CALLS, ids=lambda one: f"{one.method} {one.path}")
def test_a_call_asks_by_declared_names_and_reads_the_declared_answer(call: calls.Call[Any]) -> None:
    endpoint = declared(call)
    assert {*call.params, *(call.body or {})} <= names_of(endpoint)
    assert (call.body is None) == (endpoint.body is None)
    assert call.bearer == endpoint.bearer
    assert endpoint.answer is not None
    call.read(json_of(endpoint.answer).decode())


def test_every_call_there_is_is_looked_at() -> None:
    functions = {
        name for name, one in vars(calls).items() if inspect.isfunction(one) and one.__module__ == calls.__name__
    }
    used = Path(__file__).read_text(encoding="utf-8")
    assert {name for name in functions if f"calls.{name}(" not in used} == set()
