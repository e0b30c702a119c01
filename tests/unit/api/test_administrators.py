"""What belongs to the installation is opened by administrators' keys alone."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from esito.api.asgi_app import build_for_monitors
from esito.api.endpoints import ENDPOINTS
from esito.api.http.endpoint import AdminEndpoint
from esito.domain.credentials import is_monitor_pass, key_digest, monitor_pass
from esito.domain.errors import FieldError, InvalidFields, LinkChanged, LinkInUse, NoSuchLink
from esito.domain.timing import MINUTE_MS, RealClock
from tests.kit.builders import NOW
from tests.kit.desk import ADMIN, KEY, SECRET, Desk, Reply, ask, desk
from tests.kit.link_edits import RecordedEdits

OF_ADMINISTRATORS = [one for one in ENDPOINTS if isinstance(one, AdminEndpoint)]
BODY = b'{"seconds": 1, "name": "x", "port": 2775}'


def opened(api: Desk, endpoint: AdminEndpoint, headers: Sequence[tuple[str, str]], **given: Any) -> Reply:
    body = b"" if endpoint.body is None else BODY
    path = endpoint.path.replace("{name}", "alpha")
    return api.ask(endpoint.method, path, body=body, headers=headers, **given)


def bearer(key: str) -> list[tuple[str, str]]:
    return [("authorization", f"Bearer {key}")]


def test_the_pages_of_administrators_are_these() -> None:
    assert {f"{one.method} {one.path}" for one in OF_ADMINISTRATORS} == {
        "GET /v2/links", "POST /v2/links", "PATCH /v2/links/{name}", "DELETE /v2/links/{name}",
        "GET /v2/orphans", "POST /v2/clock/advance",
    }  # fmt: skip


@pytest.mark.parametrize("endpoint", OF_ADMINISTRATORS, ids=lambda one: f"{one.method} {one.path}")
def test_an_accounts_key_opens_none_of_them(tmp_path: Path, endpoint: AdminEndpoint) -> None:
    with desk(tmp_path, pushable=True) as api:
        assert opened(api, endpoint, bearer(KEY)).refused == (403, 403, "Réservé aux administrateurs")
        assert opened(api, endpoint, bearer("wrong")).refused[:2] == (401, 10)
        nobody = opened(api, endpoint, [])
        assert (nobody.refused[:2], nobody.headers["www-authenticate"]) == ((401, 1), "Bearer")
        assert api.clock.now() == NOW
        assert opened(api, endpoint, list(ADMIN)).status in {200, 404}  # there is nobody here who changes links


@pytest.mark.parametrize("path", ["/v1/me", "/v2/messages/1", "/v2/export"])
def test_an_administrators_key_is_no_accounts(api: Desk, path: str) -> None:
    assert api.ask("GET", path, headers=ADMIN).refused[1] == 10


def test_a_disabled_administrator_opens_nothing(api: Desk) -> None:
    api.runner.run(api.store.administrators.set_disabled("root", disabled=True, actor="cli:tests", at=NOW))
    assert api.ask("GET", "/v2/links", headers=ADMIN).refused[:2] == (401, 10)


def test_a_key_of_some_networks_opens_from_there_only(api: Desk) -> None:
    digest = key_digest("far", SECRET)
    making = api.store.administrators.create(
        "far", key_digest=digest, networks=["192.0.2.0/24"], actor="cli:tests", at=NOW
    )
    api.runner.run(making)
    assert api.ask("GET", "/v2/links", headers=bearer("far"), client="192.0.2.7").status == 200
    assert api.ask("GET", "/v2/links", headers=bearer("far"), client="198.51.100.1").refused[1] == 96
    assert api.ask("GET", "/metrics", headers=bearer("far"), client="198.51.100.1").refused[1] == 96


def test_wrong_keys_are_counted_and_slowed_as_those_of_accounts(tmp_path: Path) -> None:
    with desk(tmp_path, bad_keys_per_minute=3) as api:
        answers = [api.ask("GET", path, headers=bearer("x"), client="192.0.2.7").status for path in ["/v2/links"] * 5]
        assert answers == [401, 401, 401, 429, 429]
        assert api.ask("GET", "/metrics", headers=bearer("x"), client="192.0.2.7").status == 429
        assert api.ask("GET", "/v2/links", headers=ADMIN, client="192.0.2.7").status == 200


# -- monitors ----------------------------------------------------------------------------------


async def no_link() -> list[str]:
    return ["no link is bound for receiving"]


def test_metrics_need_an_administrators_key(api: Desk) -> None:
    assert api.ask("GET", "/metrics").refused[:2] == (401, 1)
    assert api.ask("GET", "/metrics").headers["www-authenticate"] == "Bearer"
    assert api.ask("GET", "/metrics", headers=bearer(KEY)).refused[:2] == (403, 403)
    assert api.ask("GET", "/metrics", headers=ADMIN).status == 200


@pytest.mark.parametrize("headers", [[], bearer(KEY), bearer("wrong")])
def test_whoever_asks_learns_whether_we_are_ready_and_no_more(tmp_path: Path, headers: list[tuple[str, str]]) -> None:
    with desk(tmp_path, ready=no_link, warnings=lambda: ["link alpha: refused"]) as api:
        reply = api.ask("GET", "/readyz", headers=headers)
        assert (reply.status, reply.json) == (503, {"ready": False})
        told = api.ask("GET", "/readyz", headers=ADMIN).json
        assert told == {
            "ready": False,
            "missing": ["no link is bound for receiving"],
            "warnings": ["link alpha: refused"],
        }


def test_who_has_the_secret_may_look_for_a_minute_or_two(api: Desk) -> None:
    passing = monitor_pass(SECRET, RealClock().now())
    assert api.ask("GET", "/metrics", headers=bearer(passing)).status == 200
    assert api.ask("GET", "/v2/links", headers=bearer(passing)).status == 401
    assert [is_monitor_pass(monitor_pass(SECRET, NOW), SECRET, NOW + minutes * MINUTE_MS) for minutes in range(4)] == [
        True, True, False, False,
    ]  # fmt: skip
    assert not is_monitor_pass(monitor_pass(b"another secret", NOW), SECRET, NOW)
    assert not is_monitor_pass("é", SECRET, NOW)


def test_on_an_address_of_their_own_monitors_need_no_key(tmp_path: Path) -> None:
    with desk(tmp_path, ready=no_link) as api:
        services = api.services
        app = build_for_monitors(services)
        assert api.runner.run(ask(app, "GET", "/metrics")).status == 200
        told = api.runner.run(ask(app, "GET", "/readyz")).json
        assert told == {"ready": False, "missing": ["no link is bound for receiving"]}
        assert api.runner.run(ask(app, "GET", "/v1/me", query=f"apiKey={KEY}")).status == 404


# -- changing links ----------------------------------------------------------------------------


def change(api: Desk, method: str, path: str, body: object = None, query: str = "") -> Reply:
    octets = b"" if body is None else json.dumps(body).encode()
    return api.ask(method, path, body=octets, query=query, headers=ADMIN)


def test_links_are_changed_in_the_name_of_the_administrator(tmp_path: Path) -> None:
    links = RecordedEdits()
    with desk(tmp_path, link_desk=links) as api:
        told = change(api, "POST", "/v2/links", {"name": "south", "host": "smsc.example", "port": 2775}).json
        assert told == {
            "success": True, "code": 200, "link": "south", "changed": True, "rebinds": True, "notes": ["a note"],
        }  # fmt: skip
        change(api, "PATCH", "/v2/links/south", {"window": 9, "unset": ["port", "host"]})
        change(api, "PATCH", "/v2/links/south", {"enabled": False})
        change(api, "DELETE", "/v2/links/south", query="force=1")
        change(api, "DELETE", "/v2/links/south")
    assert links.asked == [
        ("add", "south", {"host": "smsc.example", "port": 2775}, "admin:root"),
        ("change", "south", {"window": 9}, ["port", "host"], "admin:root"),
        ("change", "south", {"enabled": False}, [], "admin:root"),
        ("remove", "south", True, "admin:root"),
        ("remove", "south", False, "admin:root"),
    ]


@pytest.mark.parametrize(
    ("method", "path", "body", "element"),
    [("POST", "/v2/links", {"host": "a"}, "name"), ("POST", "/v2/links", {"name": ["a"], "host": "a"}, "name"),
     ("POST", "/v2/links", {"name": "a"}, "host"), ("PATCH", "/v2/links/a", {}, "unset"),
     ("PATCH", "/v2/links/a", {"unset": [1]}, "unset"), ("PATCH", "/v2/links/a", {"unset": {"a": 1}}, "unset"),
     ("PATCH", "/v2/links/a", {"window": 1, "unset": ["window"]}, "window"),
     ("PATCH", "/v2/links/a", {"operator": "x" * 20_000}, "link"),
     ("POST", "/v2/links", {"name": "x" * 90_000}, "link"),
     ("PATCH", "/v2/links/a", {"unset": ["x"] * 9_000}, "link")],
)  # fmt: skip
def test_what_says_too_little_of_a_link_is_refused(
    tmp_path: Path, method: str, path: str, body: object, element: str
) -> None:
    links = RecordedEdits()
    with desk(tmp_path, link_desk=links) as api:
        ((refused, _),) = change(api, method, path, body).fields
    assert refused == f"children[{element}].data"
    assert links.asked == []


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [(NoSuchLink(), 404, 404), (LinkInUse(), 409, 409), (LinkChanged(), 409, 409),
     (InvalidFields([FieldError(element="children[link].data", message="no")]), 400, 9)],
)  # fmt: skip
def test_what_the_links_refuse_is_told(tmp_path: Path, error: Exception, status: int, code: int) -> None:
    with desk(tmp_path, link_desk=RecordedEdits(error)) as api:
        reply = change(api, "DELETE", "/v2/links/a")
        assert (reply.status, reply.json["code"]) == (status, code)
