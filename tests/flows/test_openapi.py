"""The OpenAPI document is true: whatever is asked by it, or against it, gets an answer it promises."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import BaseSchema, Case
from schemathesis.checks import (
    content_type_conformance,
    not_a_server_error,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from esito.api.endpoints import ENDPOINTS
from esito.api.http.endpoint import AdminEndpoint
from esito.api.http.openapi import document
from tests.kit.live import LiveServer, live_server
from tests.kit.patience import PATIENCE

AnyCase = Case[Any]

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    unsupported_method,
]

FEW = settings(
    max_examples=20,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    folder = tmp_path_factory.mktemp("openapi")
    # Most of the keys are wrong, and all come from here.
    with live_server(folder, credit="100000", clock_pushable=True, limits_bad_keys_per_minute=0) as running:
        running.send("+33611111111", "+33622222222", tag="t")
        yield running


@pytest.fixture(scope="module")
def promised(server: LiveServer) -> BaseSchema:
    found: BaseSchema = schemathesis.openapi.from_url(f"{server.url}/openapi.json")
    return found


TOLD = document(ENDPOINTS, error_status=400)
OF_ADMINISTRATORS = {(one.method, one.path) for one in ENDPOINTS if isinstance(one, AdminEndpoint)}
EVERY = [(method.upper(), path) for path, methods in TOLD["paths"].items() for method in methods]


def check_all(promised: BaseSchema, method: str, path: str, change: Callable[[AnyCase], None]) -> None:
    """Ask one operation in many ways, each `change`d before it is asked."""

    @given(case=promised[path][method].as_strategy())
    @FEW
    def check(case: AnyCase) -> None:
        change(case)
        case.call_and_validate(checks=CHECKS, timeout=PATIENCE)

    check()


def leave(_case: AnyCase) -> None:
    """Ask as generated."""


@pytest.mark.parametrize(("method", "path"), EVERY)
def test_as_generated(promised: BaseSchema, method: str, path: str) -> None:
    check_all(promised, method, path, leave)


def with_key(case: AnyCase, key: str) -> None:
    case.headers["Authorization"] = f"Bearer {key}"
    if isinstance(case.body, dict):
        case.body["apiKey"] = key
    else:
        case.query["apiKey"] = key


@pytest.mark.parametrize(("method", "path"), [one for one in EVERY if one[1].startswith("/v")])
def test_with_a_key_and_a_message_that_is_there(
    promised: BaseSchema, server: LiveServer, method: str, path: str
) -> None:
    """As generated, most requests would never come past the key."""
    pieces = {"id": "1", "msisdn": "+33622222222"}
    known = {"messageId": 1, "phoneNumber": "+33622222222", "tag": "t"}

    admin_key = server.as_administrator["Authorization"].removeprefix("Bearer ")
    key = admin_key if (method, path) in OF_ADMINISTRATORS else server.api_key

    def change(case: AnyCase) -> None:
        with_key(case, key)
        case.query.update({name: value for name, value in known.items() if name in case.query})
        case.path_parameters.update({name: value for name, value in pieces.items() if name in case.path_parameters})

    check_all(promised, method, path, change)


@pytest.mark.parametrize("path", ["/v1/send", "/v1/bulk-send"])
def test_with_numbers_that_can_be_sent_to(promised: BaseSchema, server: LiveServer, path: str) -> None:
    """As generated, most numbers are none and most dates are past."""

    def change(case: AnyCase) -> None:
        with_key(case, server.api_key)
        if isinstance(case.body, dict):
            for name in ("scheduledDeliveryDate", "time", "minute"):
                case.body.pop(name, None)
            case.body |= (
                {"phoneNumbers": "0611111111,0622222222", "message": "x"}
                if path == "/v1/send"
                else {
                    "SMSList": [
                        {"phoneNumber": "0611111111", "message": "x"},
                        {"phoneNumber": "0123456789", "message": "y"},
                    ]
                }
            )

    check_all(promised, "POST", path, change)


def test_good_answers_were_among_them(server: LiveServer) -> None:
    """Otherwise the tests above would have looked at refusals only."""
    text = httpx.get(f"{server.url}/metrics", headers=server.as_administrator, timeout=PATIENCE).text
    paths = ["bulk-status", "message-status", "multi-status", "bulk-status-by-tag", "send", "bulk-send", "me"]
    for path in paths:
        assert f'esito_http_requests_total{{path="/v1/{path}",status="200"}}' in text, path
    closer = ["messages/{id}", "messages/{id}/recipients", "messages/{id}/recipients/{msisdn}", "links", "orphans"]
    for path in closer:
        assert f'esito_http_requests_total{{path="/v2/{path}",status="200"}}' in text, path
