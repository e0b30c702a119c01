"""The OpenAPI document, and the page made from it."""

import json
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from esito.api.endpoints import ENDPOINTS
from esito.api.http.endpoint import AnyEndpoint
from esito.api.http.openapi import document
from esito.api.http.response import members_of
from esito.api.http.xml import to_xml
from esito.api.v1.bulk_send import BULK_SEND
from esito.api.v1.multi_status import MULTI_STATUS
from esito.api.v1.send import SEND
from esito.api.v1.status import BULK_STATUS, BULK_STATUS_BY_TAG, MESSAGE_STATUS
from esito.api.v2.clock_advance import ADVANCE
from tests.kit.desk import Desk, desk

GOLDEN = Path(__file__).parents[3] / "wire" / "golden"

TOLD = document(ENDPOINTS, error_status=400)


@pytest.fixture
def pushable(tmp_path: Path) -> Iterator[Desk]:
    with desk(tmp_path / "pushable", pushable=True) as api:
        yield api


def test_the_document_is_served_with_what_is_served(api: Desk, pushable: Desk) -> None:
    assert "/v2/clock/advance" not in api.ask("GET", "/openapi.json").json["paths"]
    told = pushable.ask("GET", "/openapi.json").json
    assert (told["openapi"], told) == ("3.1.0", TOLD)


def answers() -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (f"{method} {path}", status, answer["content"])
        for path, methods in TOLD["paths"].items()
        for method, operation in methods.items()
        for status, answer in operation["responses"].items()
        if "application/xml" in answer["content"]
    ]


@pytest.mark.parametrize(("operation", "status", "content"), answers())
def test_the_examples_are_what_their_schemas_say(operation: str, status: str, content: dict[str, Any]) -> None:
    schema = content["application/json"]["schema"] | {"components": TOLD["components"]}
    example = content["application/json"]["example"]
    jsonschema_rs.validator_for(schema).validate(example)
    assert example["success"] is (status == "200"), operation
    assert to_xml(example).decode() == content["application/xml"]["example"]


@pytest.mark.parametrize(
    ("endpoint", "name"),
    [(BULK_STATUS, "bulk-status"), (MESSAGE_STATUS, "message-status"), (MULTI_STATUS, "multi-status"),
     (BULK_STATUS_BY_TAG, "bulk-status-by-tag"), (SEND, "send"), (BULK_SEND, "bulk-send")],
)  # fmt: skip
def test_the_examples_are_the_contracts(endpoint: AnyEndpoint, name: str) -> None:
    assert endpoint.answer is not None
    sample = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    assert repr(members_of(endpoint.answer)) == repr(sample)


def test_errors_are_documented_under_their_http_status() -> None:
    responses = document(ENDPOINTS, error_status=200)["paths"]["/v1/send"]["post"]["responses"]
    assert sorted(responses) == ["200", "400", "409", "413", "415", "429", "431", "500", "503"]
    assert {"$ref": "#/components/schemas/InvalidFieldsAnswer"} in responses["200"]["content"]["application/json"][
        "schema"
    ]["anyOf"]


class Page(HTMLParser):
    """What a page consists of and where it would fetch something."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.fetched: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.fetched += [str(value) for name, value in attrs if name == "src" or (tag == "link" and name == "href")]

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_shows_every_operation_and_needs_nothing_from_elsewhere(api: Desk) -> None:
    reply = api.ask("GET", "/docs")
    page = Page(reply.text)
    assert "script" not in page.tags
    assert page.fetched == []
    # Samples may name the server of nobody.
    assert "http" not in re.sub(r"HTTP \d+|https?://example\.org", "", page.text)
    assert reply.headers["content-security-policy"].startswith("default-src 'none'")
    for endpoint in ENDPOINTS:
        if endpoint is not ADVANCE:
            assert f"{endpoint.method} {endpoint.path}" in page.text
    assert "Clé API incorrecte" in page.text
    assert "<entry><![CDATA[+33611111111]]></entry>" in page.text
