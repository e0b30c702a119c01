"""A send that names a URL to which no callback will ever go is refused, and nothing has happened."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from esito.webhooks.addresses import Judge
from esito.webhooks.targets import refusal
from tests.kit.desk import Desk, desk

BAD = "http://127.0.0.1:8000/dlr"
SAID = "Cette URL ne peut pas etre appelee: adresse ou port refuse"


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Desk]:
    judge = Judge(ports=[range(443, 444), range(1024, 65536)])
    with desk(tmp_path, never_called=lambda url: refusal(url, judge)) as opened:
        yield opened


WAYS: dict[str, dict[str, object]] = {
    "/v1/send": {"phoneNumbers": "0611111111", "message": "ciao"},
    "/v1/bulk-send": {"SMSList": [{"phoneNumber": "0611111111", "message": "ciao"}]},
}


@pytest.mark.parametrize("path", WAYS)
@pytest.mark.parametrize("name", ["urlDlr", "urlResponse", "webhookUrl"])
@pytest.mark.parametrize("url", [BAD, "http://2130706433:8000/", "https://hooks.example.org:25/", "http://[::1]:8000/"])
def test_it_is_refused_at_the_send(api: Desk, path: str, name: str, url: str) -> None:
    credit = api.get("/v1/me").json["credits"]
    reply = api.post(path, **WAYS[path], **{name: url})
    assert reply.fields == [(f"children[{name}].data", SAID)]
    assert api.get("/v1/me").json["credits"] == credit
    assert api.runner.run(api.store.claim("alpha", limit=10, at=api.clock.now())) == []


@pytest.mark.parametrize("path", WAYS)
def test_any_other_is_taken(api: Desk, path: str) -> None:
    assert api.post(path, **WAYS[path], urlDlr="https://hooks.example.org/dlr").json["success"] is True


def test_both_are_named(api: Desk) -> None:
    reply = api.post("/v1/send", **WAYS["/v1/send"], urlDlr=BAD, urlResponse=BAD)
    assert [element for element, _ in reply.fields] == ["children[urlDlr].data", "children[urlResponse].data"]
