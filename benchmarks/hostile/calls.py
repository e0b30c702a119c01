"""Every documented call as an account makes it that wants to take as much of the server as it can get.

What belongs to the installation is asked for with the same key, which does not open it. A test compares the table with
the document at `/openapi.json`.
"""

import json
import random
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import quote, urlencode

import msgspec

from benchmarks.hostile.filling import SPEAKS, TAG, number_of
from esito.api.endpoints import ENDPOINTS
from esito.api.http.endpoint import AnyEndpoint
from esito.api.v2.clock_advance import ADVANCE

MOST = 500
"""Recipients of a send, pairs of a multi-status, numbers of a lookup."""
LONG = "A text that is as long as it may be, so that it takes many segments. " * 13
PAGE = 1000


@dataclass(slots=True)
class Things:
    """What the account knows of itself, and what it has learned meanwhile."""

    key: str
    messages: int
    receivers: list[str]
    """URLs of callbacks."""
    scheduled: list[int] = field(default_factory=list)
    """Messages that may be taken back."""
    tokens: list[str] = field(default_factory=list)
    """Of its sub-accounts."""
    chance: random.Random = field(default_factory=lambda: random.Random(16))

    def message(self) -> int:
        """Return one of its messages."""
        return self.chance.randint(1, self.messages)

    def numbers(self, count: int) -> list[str]:
        """Return different numbers that may be sent to."""
        first = self.chance.randint(0, 9_000_000)
        return [f"+{33_612_000_000 + (first + place) % 10_000_000}" for place in range(count)]

    def learn(self, asked: "Asked", answer: bytes) -> None:
        """Keep what later calls need."""
        if asked.path == "/v1/send" and b'"scheduledDeliveryDate"' in asked.body:
            found = _member(answer, "message_id")
            self.scheduled += [found] if isinstance(found, int) else []
        elif asked.path == "/v1/subaccount/create":
            found = _member(answer, "subaccount")
            self.tokens += [found["token"]] if isinstance(found, dict) else []

    def token(self) -> str:
        """Return the token of a sub-account, if there is one."""
        return self.chance.choice(self.tokens) if self.tokens else "f" * 32


class Asked(NamedTuple):
    """One request."""

    method: str
    path: str
    query: str = ""
    body: bytes = b""


Make = Callable[[Things], Asked]
Operation = tuple[str, str]
"""Method and path, as the document has them."""


def _asks(path: str, **parameters: str) -> Make:
    return lambda _: Asked("GET", path, urlencode(parameters))


def _of_message(path: str, **parameters: str) -> Make:
    return lambda things: Asked("GET", path, urlencode({"messageId": things.message(), **parameters}))


def _posts(path: str, make: Callable[[Things], Mapping[str, Any]], method: str = "POST") -> Make:
    return lambda things: Asked(method, path, "", json.dumps({"apiKey": things.key, **make(things)}).encode())


def _pairs(things: Things) -> Mapping[str, Any]:
    ids = [things.message() for _ in range(MOST)]
    return {"SMSStatut_List": [{"phoneNumber": f"+{number_of(one)}", "messageId": one} for one in ids]}


def _send(things: Things) -> Mapping[str, Any]:
    """One of what a send can be: to very many, kept for later, rehearsed, or of one number with a callback."""
    url = things.chance.choice(things.receivers)
    told = {"urlDlr": url, "urlResponse": url, "tag": TAG, "reference": f"r{things.message()}"}
    kind = things.chance.randrange(4)
    if kind == 0:
        return {"phoneNumbers": ",".join(things.numbers(MOST)), "message": LONG, **told}
    if kind == 1:
        later = {"scheduledDeliveryDate": "31/12/2099", "time": 12, "minute": 0}
        return {"phoneNumbers": ",".join(things.numbers(MOST)), "message": "Later", **later}
    if kind == 2:
        return {"phoneNumbers": ",".join(things.numbers(MOST)), "message": "x\u0301" * 60, "sandbox": 1, **told}
    return {"phoneNumbers": things.numbers(1)[0], "message": "One", "isStopSms": 1, **told}


def _bulk(things: Things) -> Mapping[str, Any]:
    url = things.chance.choice(things.receivers)
    texts = [{"phoneNumber": number, "message": f"{number} {LONG[:300]}"} for number in things.numbers(MOST)]
    return {"SMSList": texts, "urlDlr": url, "sandbox": things.chance.randrange(2)}


def _long_number(things: Things) -> Mapping[str, Any]:
    return {"to": things.numbers(1)[0], "from": "33700000001", "message": LONG[:400]}


def _cancelled(things: Things) -> int:
    return things.scheduled.pop() if things.scheduled else things.message()


def _created(things: Things) -> Mapping[str, Any]:
    parameters = {"email": f"s{things.chance.getrandbits(60)}@example.org", "isBuyer": 1}
    return {"type": "simple", "parameters": parameters}


def _page(path: str, cursors: Iterable[str] = ("",)) -> Make:
    several = tuple(cursors)

    def make(things: Things) -> Asked:
        cursor = things.chance.choice(several)
        more = {"cursor": cursor} if cursor else {}
        return Asked("GET", path, urlencode({"limit": PAGE, **more}))

    return make


def _pieces(method: str, path: str, query: str = "") -> Make:
    """Ask by what stands in the path."""

    def make(things: Things) -> Asked:
        message = things.message()
        callback = things.chance.randint(1, max(1, things.messages // SPEAKS))
        number = quote(f"+{number_of(message)}")
        asked = path.format(id=callback if "callbacks" in path else message, msisdn=number, messageId=_cancelled(things)
                            if "cancel" in path else message, name="bench")  # fmt: skip
        return Asked(method, asked, query)

    return make


def _as_declared(endpoint: AnyEndpoint) -> Make:
    """Ask as the endpoint's example does."""
    given = {} if endpoint.parameters is None else msgspec.to_builtins(endpoint.parameters)
    pieces = {name: quote(str(value)) for name, value in given.items() if f"{{{name}}}" in endpoint.path}
    query = urlencode({name: value for name, value in given.items() if name not in pieces})
    body = None if endpoint.body is None else msgspec.to_builtins(endpoint.body)

    def make(things: Things) -> Asked:
        octets = b"" if body is None else json.dumps({"apiKey": things.key, **body}).encode()
        return Asked(endpoint.method, endpoint.path.format(**pieces), query, octets)

    return make


_YEARS = urlencode({"from": "2000-01-01T00:00:00Z"})

CALLS: Mapping[Operation, Make] = {
    **{(one.method, one.path): _as_declared(one) for one in ENDPOINTS if one is not ADVANCE},
    ("GET", "/v1/bulk-status"): _of_message("/v1/bulk-status"),
    ("GET", "/v1/message-status"): lambda things: Asked(
        "GET", "/v1/message-status",
        urlencode({"messageId": (one := things.message()), "phoneNumber": f"+{number_of(one)}"}),
    ),
    ("POST", "/v1/multi-status"): _posts("/v1/multi-status", _pairs),
    ("GET", "/v1/multi-status"): _posts("/v1/multi-status", _pairs, "GET"),
    ("GET", "/v1/bulk-status-by-tag"): lambda things: Asked(
        "GET", "/v1/bulk-status-by-tag",
        urlencode({"tag": TAG, "page": things.chance.randint(1, max(1, things.messages // 500))}),
    ),
    ("POST", "/v1/send"): _posts("/v1/send", _send),
    ("POST", "/v1/bulk-send"): _posts("/v1/bulk-send", _bulk),
    ("POST", "/v1/vn/send"): _posts("/v1/vn/send", _long_number),
    ("GET", "/v1/me"): _asks("/v1/me"),
    ("GET", "/v1/message-cancel"): lambda things: Asked(
        "GET", "/v1/message-cancel", urlencode({"messageId": _cancelled(things)})
    ),
    ("DELETE", "/v1/message-cancel/{messageId}"): _pieces("DELETE", "/v1/message-cancel/{messageId}"),
    ("POST", "/v1/subaccount/create"): _posts("/v1/subaccount/create", _created),
    ("GET", "/v1/subaccount/create"): _posts("/v1/subaccount/create", _created, "GET"),
    ("GET", "/v1/subaccount/list"): _asks("/v1/subaccount/list"),
    ("POST", "/v1/subaccount/credit/add"): _posts(
        "/v1/subaccount/credit/add", lambda things: {"credit": "0.01", "tokenSubaccount": things.token()}
    ),
    ("POST", "/v1/subaccount/credit/remove"): _posts(
        "/v1/subaccount/credit/remove", lambda things: {"credit": "0.01", "tokenSubaccount": things.token()}
    ),
    ("DELETE", "/v1/subaccount/remove"): _posts(
        "/v1/subaccount/remove",
        lambda things: {"token": things.tokens.pop() if len(things.tokens) > 20 else "f" * 32}, "DELETE",
    ),
    ("POST", "/v2/subaccounts/rotate-key"): _posts(
        "/v2/subaccounts/rotate-key", lambda things: {"token": things.token()}
    ),
    ("GET", "/v1/statistics/cost-resume"): _asks("/v1/statistics/cost-resume", interval="last_twelve_months"),
    ("POST", "/v1/lookup"): _posts("/v1/lookup", lambda things: {"phoneNumbers": things.numbers(MOST)}),
    ("GET", "/v1/stop-sms/list"): _asks("/v1/stop-sms/list"),
    ("POST", "/v1/stop-sms/add"): _posts("/v1/stop-sms/add", lambda things: {"phoneNumber": things.numbers(1)[0]}),
    ("GET", "/v1/stop-sms/delete"): lambda things: Asked(
        "GET", "/v1/stop-sms/delete", urlencode({"id": things.message()})
    ),
    ("GET", "/v2/messages/{id}"): _pieces("GET", "/v2/messages/{id}"),
    ("GET", "/v2/messages/{id}/recipients"): _pieces("GET", "/v2/messages/{id}/recipients", "limit=1000"),
    ("GET", "/v2/messages/{id}/recipients/{msisdn}"): _pieces(
        "GET", "/v2/messages/{id}/recipients/{msisdn}", "unmask=because"
    ),
    ("GET", "/v2/messages"): lambda things: Asked(
        "GET", "/v2/messages",
        urlencode({"limit": PAGE, **things.chance.choice(({"tag": TAG}, {}, {"reference": f"r{things.message()}"}))}),
    ),
    ("GET", "/v2/export"): lambda things: Asked(
        "GET", "/v2/export", _YEARS + things.chance.choice(("&format=csv", "&format=jsonl"))
    ),
    ("GET", "/v2/replies"): _page("/v2/replies", ("", "1")),
    ("GET", "/v2/callbacks"): lambda things: Asked(
        "GET", "/v2/callbacks", f"limit={PAGE}" + things.chance.choice(("", "&status=dead", "&status=waiting"))
    ),
    ("GET", "/v2/callbacks/destinations"): _page("/v2/callbacks/destinations"),
    ("GET", "/v2/callbacks/{id}"): _pieces("GET", "/v2/callbacks/{id}"),
    ("POST", "/v2/callbacks/replay"): _posts(
        "/v2/callbacks/replay", lambda things: things.chance.choice(({"since": 0}, {"since": 0, "status": "dead"}))
    ),
    ("GET", "/v2/events"): _page("/v2/events", ("0", "1", "")),
    ("DELETE", "/v2/numbers/{msisdn}"): _pieces("DELETE", "/v2/numbers/{msisdn}", "forgetStop=1"),
    ("GET", "/v2/links"): _asks("/v2/links"),
    ("POST", "/v2/links"): _posts("/v2/links", lambda _: {"name": "mine", "host": "127.0.0.1"}),
    ("PATCH", "/v2/links/{name}"): _posts("/v2/links/bench", lambda _: {"password": "mine"}, "PATCH"),
    ("DELETE", "/v2/links/{name}"): _pieces("DELETE", "/v2/links/{name}"),
    ("GET", "/v2/orphans"): _page("/v2/orphans", ("", "1")),
    ("GET", "/healthz"): _asks("/healthz"),
    ("GET", "/readyz"): _asks("/readyz"),
    ("GET", "/metrics"): _asks("/metrics"),
    ("GET", "/openapi.json"): _asks("/openapi.json"),
    ("GET", "/docs"): _asks("/docs"),
}  # fmt: skip
"""How each documented call is made, as its example where nothing else is said.

The newest answer may be about another thing than the one before.
"""


def with_key(asked: Asked, key: str) -> str:
    """Return path and query of a request, with the key where version 1 has it."""
    pieces = [asked.query] if asked.query else []
    if asked.path.startswith("/v1/") and not asked.body:
        pieces.append(f"apiKey={key}")
    return asked.path + ("?" + "&".join(pieces) if pieces else "")


def _member(answer: bytes, name: str) -> Any:
    try:
        return json.loads(answer).get(name)
    except ValueError:
        return None
