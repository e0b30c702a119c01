"""Account, health, metrics, clock and documentation pages."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Iterator
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from esito.api import samples
from esito.api.app import CLOCK, SERVED, Services, build
from esito.api.openapi import PAGES, document
from esito.api.xml import to_xml
from esito.domain.credentials import monitor_pass
from esito.domain.errors import StoreUnavailable
from esito.domain.pricing import PriceList
from esito.domain.timing import DAY_MS, RealClock
from esito.store.base import Counts
from esito.store.sqlite import SqliteStore
from tests.kit.builders import NOW
from tests.kit.desk import ADMIN, ADMIN_KEY, SECRET, Desk, Reply, ask, desk

GOLDEN = Path(__file__).parents[2] / "wire" / "golden"


# -- me ----------------------------------------------------------------------------------------


def test_me_tells_what_the_credit_buys_and_what_waits(api: Desk) -> None:
    api.send("+33611111111", "+33622222222")
    told = api.get("/v1/me").json
    assert list(told) == ["success", "code", "user", "credits"]
    assert told["user"] == {"username": "acme", "firstname": "", "lastname": ""}
    assert list(told["credits"].items()) == [
        ("creditSms", 2220), ("creditSmsECO", 2497), ("creditHlr", 19982), ("toSend", 2),
        ("balance", "99.910"), ("currency", "EUR"), ("solde", "99.910"), ("creditSmsLowCost", 2497),
    ]  # fmt: skip


def test_in_xml_the_user_keeps_its_names_and_nothing_else_does(api: Desk) -> None:
    text = api.get("/v1/me", _format="xml").text
    assert "<username><![CDATA[acme]]></username>" in text
    assert "<entry>2222</entry>" in text
    assert re.findall(r"</(\w+)>", text).count("username") == 1


@pytest.mark.parametrize("prices", [PriceList(default=Decimal(0), low_cost=None), PriceList(default=None)])
def test_without_a_price_nothing_is_bought(tmp_path: Path, prices: PriceList) -> None:
    with desk(tmp_path, prices=prices) as api:
        assert api.get("/v1/me").json["credits"]["creditSms"] == 0


# -- health ------------------------------------------------------------------------------------


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


# -- the clock ---------------------------------------------------------------------------------

BEARER = [("Authorization", f"Bearer {ADMIN_KEY}")]


@pytest.fixture
def pushable(tmp_path: Path) -> Iterator[Desk]:
    with desk(tmp_path / "pushable", pushable=True) as api:
        yield api


@pytest.mark.parametrize(
    ("body", "milliseconds"),
    [('{"hours": 48}', 2 * DAY_MS), ('{"seconds": "90"}', 90_000), ('{"hours": 1, "seconds": 0.5}', 3_600_500),
     ("seconds=1", 1000), ('{"seconds": 0}', 0)],
)  # fmt: skip
def test_the_clock_is_pushed(pushable: Desk, body: str, milliseconds: int) -> None:
    reply = pushable.ask("POST", "/v2/clock/advance", body=body.encode(), headers=BEARER)
    assert reply.json == {"success": True, "code": 200, "now": NOW + milliseconds}
    assert pushable.clock.now() == NOW + milliseconds


def test_a_push_is_kept_before_it_is_told(pushable: Desk) -> None:
    pushable.ask("POST", "/v2/clock/advance", body=b'{"hours": 1}', headers=BEARER)
    assert pushable.runner.run(pushable.store.setting("clock_offset_ms")) == "3600000"


@pytest.mark.parametrize(
    "body",
    ["", "{}", '{"hours": -1}', '{"seconds": -1, "hours": 5}', '{"seconds": "x"}', '{"hours": [1]}', '{"hours": {}}',
     '{"seconds": "nan"}', '{"seconds": "inf"}', '{"hours": 1e300}', '{"hours": 90000}',
     '{"seconds": ' + "9" * 5000 + "}"],
)  # fmt: skip
def test_the_clock_is_not_pushed_by_what_is_no_time(pushable: Desk, body: str) -> None:
    reply = pushable.ask("POST", "/v2/clock/advance", body=body.encode(), headers=BEARER)
    assert reply.fields == [("children[seconds].data", "Le nombre de secondes ou d'heures n'est pas valide")]
    assert pushable.clock.now() == NOW


@pytest.mark.parametrize(
    ("header", "code"),
    [("", 1), ("Basic YTpi", 1), ("Bearer", 1), ("Bearer ", 1), ("Bearer wrong", 10), (f"Token {ADMIN_KEY}", 1)],
)
def test_the_clock_needs_a_key_in_the_header(pushable: Desk, header: str, code: int) -> None:
    headers = [("Authorization", header)] if header else []
    reply = pushable.ask(
        "POST", "/v2/clock/advance", query=f"apiKey={ADMIN_KEY}", body=b'{"hours": 1}', headers=headers
    )
    assert reply.refused[:2] == (401, code)
    assert pushable.clock.now() == NOW


def test_the_scheme_of_the_key_is_read_without_case(pushable: Desk) -> None:
    headers = [("Authorization", f"bearer  {ADMIN_KEY}")]
    assert pushable.ask("POST", "/v2/clock/advance", body=b'{"hours": 1}', headers=headers).status == 200


def test_a_real_clock_cannot_be_pushed_whatever_the_settings_say(tmp_path: Path) -> None:
    with desk(tmp_path, pushable=True, clock=RealClock()) as api:
        assert api.ask("POST", "/v2/clock/advance", headers=BEARER, body=b'{"hours": 1}').status == 404


# -- documentation -----------------------------------------------------------------------------

TOLD = document((*SERVED, CLOCK), error_status=400)


def test_every_operation_is_documented_and_no_other() -> None:
    assert set(PAGES) == {(operation.method, operation.path) for operation in (*SERVED, CLOCK)}


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
    ("schema", "name"),
    [("BulkStatus", "bulk-status"), ("MessageStatus", "message-status"), ("MultiStatus", "multi-status"),
     ("BulkStatusByTag", "bulk-status-by-tag"), ("Sent", "send"), ("BulkSent", "bulk-send")],
)  # fmt: skip
def test_the_examples_are_the_contracts(schema: str, name: str) -> None:
    assert repr(samples.OF_ANSWER[schema]) == repr(json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8")))


def test_the_example_of_me_is_what_me_answers(api: Desk) -> None:
    assert repr(api.get("/v1/me").json) == repr(samples.OF_ANSWER["Me"])


def test_errors_are_documented_under_their_http_status() -> None:
    responses = document(SERVED, error_status=200)["paths"]["/v1/send"]["post"]["responses"]
    assert sorted(responses) == ["200", "400", "409", "413", "415", "429", "431", "500", "503"]
    assert {"$ref": "#/components/schemas/InvalidFields"} in responses["200"]["content"]["application/json"]["schema"][
        "anyOf"
    ]


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
    for operation in SERVED:
        assert f"{operation.method} {operation.path}" in page.text
    assert "Clé API incorrecte" in page.text
    assert "<entry><![CDATA[+33611111111]]></entry>" in page.text


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
