"""What one account has does not exist for another: same status, same octets, and no more time.

The matrix is made of the table of operations: one that takes an id or a token and is not in the
registry below fails the test, so that nobody adds an endpoint and forgets whose things it shows.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from esito.api.asgi_app import SERVED
from esito.api.http.openapi import PAGES
from tests.kit import looking
from tests.kit.desk import KEY, Desk, Reply, desk
from tests.kit.patience import WORK, Beside

THEIRS = "their-key"
FIRST = "+33611111111"

IDS = frozenset({"messageId", "id", "tokenSubaccount", "token", "callback", "message", "tag", "msisdn"})
"""Parameters that name a thing of an account."""


@dataclass(frozen=True, slots=True)
class Things:
    """One of each thing, of the account whose key is KEY."""

    message: int
    scheduled: int
    token: str
    stop: int
    callback: int


Ask = Callable[[Desk, str, object], Reply]
"""Asks with a key for a thing by its id."""


def query(method: str, path: str, **names: str) -> Ask:
    def ask(api: Desk, key: str, thing: object) -> Reply:
        pieces = "&".join(f"{name}={thing if value == '*' else value}" for name, value in names.items())
        return api.ask(method, path, query=f"apiKey={key}&{pieces}")

    return ask


def body(method: str, path: str, **members: object) -> Ask:
    def ask(api: Desk, key: str, thing: object) -> Reply:
        text = json.dumps({"apiKey": key} | members).replace('"*"', json.dumps(thing))
        return api.ask(method, path, body=text.encode(), headers=[("authorization", f"Bearer {key}")])

    return ask


def bearer(path: str, method: str = "GET") -> Ask:
    def ask(api: Desk, key: str, thing: object) -> Reply:
        return api.ask(method, path.replace("*", str(thing)), headers=[("authorization", f"Bearer {key}")])

    return ask


def in_query(path: str, name: str) -> Ask:
    def ask(api: Desk, key: str, thing: object) -> Reply:
        return api.ask("GET", path, query=f"{name}={thing}", headers=[("authorization", f"Bearer {key}")])

    return ask


REGISTRY: dict[tuple[str, str], tuple[str, object, Ask]] = {
    ("GET", "/v1/bulk-status"): ("message", 999_999, query("GET", "/v1/bulk-status", messageId="*")),
    ("GET", "/v1/message-status"): (
        "message", 999_999, query("GET", "/v1/message-status", messageId="*", phoneNumber="0611111111"),
    ),
    ("GET", "/v1/bulk-status-by-tag"): ("tag", "missing", query("GET", "/v1/bulk-status-by-tag", tag="*")),
    ("POST", "/v1/multi-status"): (
        "message", 999_999,
        body("POST", "/v1/multi-status", SMSStatut_List=[{"phoneNumber": "0611111111", "messageId": "*"}]),
    ),
    ("GET", "/v1/multi-status"): (
        "message", 999_999,
        body("GET", "/v1/multi-status", SMSStatut_List=[{"phoneNumber": "0611111111", "messageId": "*"}]),
    ),
    ("GET", "/v1/message-cancel"): ("scheduled", 999_999, query("GET", "/v1/message-cancel", messageId="*")),
    ("DELETE", "/v1/message-cancel/{messageId}"): (
        "scheduled", 999_999,
        lambda api, key, thing: api.ask("DELETE", f"/v1/message-cancel/{thing}", query=f"apiKey={key}"),
    ),
    ("GET", "/v1/stop-sms/delete"): ("stop", 999_999, query("GET", "/v1/stop-sms/delete", id="*")),
    ("POST", "/v1/subaccount/credit/add"): (
        "token", "f" * 32, body("POST", "/v1/subaccount/credit/add", credit=1, tokenSubaccount="*"),
    ),
    ("POST", "/v1/subaccount/credit/remove"): (
        "token", "f" * 32, body("POST", "/v1/subaccount/credit/remove", credit=1, tokenSubaccount="*"),
    ),
    ("DELETE", "/v1/subaccount/remove"): ("token", "f" * 32, body("DELETE", "/v1/subaccount/remove", token="*")),
    ("POST", "/v2/subaccounts/rotate-key"): ("token", "f" * 32, body("POST", "/v2/subaccounts/rotate-key", token="*")),
    ("GET", "/v2/messages/{id}"): ("message", 999_999, bearer("/v2/messages/*")),
    ("GET", "/v2/messages/{id}/recipients"): ("message", 999_999, bearer("/v2/messages/*/recipients")),
    ("GET", "/v2/messages/{id}/recipients/{msisdn}"): (
        "message", 999_999, bearer(f"/v2/messages/*/recipients/{FIRST}"),
    ),
    ("GET", "/v2/messages"): ("tag", "missing", in_query("/v2/messages", "tag")),
    # Their number rather than an id: one that was sent to, and one that nobody knows.
    ("DELETE", "/v2/numbers/{msisdn}"): (
        "message", "0688888888",
        lambda api, key, thing: bearer(f"/v2/numbers/{thing if thing == '0688888888' else FIRST}", "DELETE")(
            api, key, thing
        ),
    ),
    ("GET", "/v2/callbacks"): ("message", 999_999, in_query("/v2/callbacks", "message")),
    ("GET", "/v2/callbacks/{id}"): ("callback", 999_999, bearer("/v2/callbacks/*")),
    ("POST", "/v2/callbacks/replay"): ("callback", 999_999, body("POST", "/v2/callbacks/replay", id="*")),
}  # fmt: skip
"""Operation to which thing it names, an id that nobody has, and how it is asked."""

OF_NOBODY = {
    ("POST", "/v1/send"), ("POST", "/v1/bulk-send"), ("POST", "/v1/vn/send"),  # `tag` names what is about to be made
}  # fmt: skip


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with desk(Path(tmp_path_factory.mktemp("isolation"))) as opened:
        opened.add_account("other", THEIRS)
        opened.let(creates_subaccounts=True)
        yield opened


@pytest.fixture(scope="module")
def things(api: Desk) -> Things:
    message = api.send(FIRST, tag="mine", urlDlr="https://example.org/dlr")
    api.settle("DELIVRD")
    scheduled = api.send(FIRST, scheduledDeliveryDate="20/01/2027", time=9, minute=0)
    made = api.post("/v1/subaccount/create", type="simple", parameters={"email": "a@b", "isBuyer": 0})
    stop = api.post("/v1/stop-sms/add", phoneNumber="0699999999").json["stopId"]
    ((callback,),) = api.runner.run(looking.rows(api.store, "SELECT id FROM callback"))
    return Things(message, scheduled, made.json["subaccount"]["token"], stop, int(str(callback)))


def takes_an_id(method: str, path: str) -> bool:
    page = PAGES[method, path]
    names = {*re.findall(r"{(\w+)}", path), *(page.parameters or {})}
    if page.body:
        from esito.api.http.openapi import _SCHEMAS  # noqa: PLC0415  what the document says of the body

        names |= set(_SCHEMAS[page.body].get("properties", {}))
        names |= {"messageId"} if "SMSStatut_List" in names else set()
    return bool(names & IDS)


def test_every_operation_that_names_a_thing_is_in_the_matrix() -> None:
    wanted = {(one.method, one.path) for one in SERVED if takes_an_id(one.method, one.path)}
    assert wanted - OF_NOBODY - set(REGISTRY) == set(), "say in the registry how this is asked with another's key"


def thing_of(things: Things, kind: str) -> object:
    return "mine" if kind == "tag" else getattr(things, kind)


@pytest.mark.parametrize("operation", REGISTRY, ids=" ".join)
def test_another_account_s_thing_is_as_one_that_is_not_there(
    api: Desk, things: Things, operation: tuple[str, str]
) -> None:
    kind, missing, ask = REGISTRY[operation]
    foreign, absent = ask(api, THEIRS, thing_of(things, kind)), ask(api, THEIRS, missing)

    def plain(reply: Reply, thing: object) -> tuple[int, dict[str, str], str]:
        # The id itself may be repeated, as in multi-status.
        text = re.sub(rf"(?<![\w+]){thing}(?!\w)", "*", reply.text)
        return reply.status, {name: value for name, value in reply.headers.items() if name != "content-length"}, text

    assert plain(foreign, thing_of(things, kind)) == plain(absent, missing)


@pytest.mark.parametrize("operation", REGISTRY, ids=" ".join)
def test_it_takes_no_more_time(api: Desk, things: Things, operation: tuple[str, str]) -> None:
    kind, missing, ask = REGISTRY[operation]
    both = Beside(WORK)
    for _ in range(60):
        for name, thing in (("foreign", thing_of(things, kind)), ("absent", missing)):
            with both.timed(name):
                ask(api, THEIRS, thing)
    assert 1 / 3 < both.ratio("foreign", "absent") < 3


def test_the_owner_still_has_everything(api: Desk, things: Things) -> None:
    for operation in [("GET", "/v1/bulk-status"), ("GET", "/v2/callbacks/{id}"), ("GET", "/v2/messages/{id}")]:
        kind, _, ask = REGISTRY[operation]
        assert ask(api, KEY, thing_of(things, kind)).status == 200
    assert api.get("/v1/subaccount/list").json["total"] == 1
    assert api.get("/v1/stop-sms/list").json["nbData"] == 1
    assert REGISTRY["GET", "/v1/message-cancel"][2](api, KEY, things.scheduled).status == 200
