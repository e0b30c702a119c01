"""What a real server refuses over a real socket, and what it says; afterwards it serves on."""

import json
import select
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from esito_cluster.process import free_port
from tests.kit.live import LiveServer, live_server, live_smsc
from tests.kit.patience import PATIENCE, wait_until

SECONDS = 20
"""How long a status may take to change."""

MALFORMED = (400, 90, "Le JSON est malformé: erreur de syntaxe")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with live_server(tmp_path_factory.mktemp("refusals")) as running:
        yield running


@pytest.fixture(autouse=True)
def serves_on(server: LiveServer) -> Iterator[None]:
    """After whatever it refused, the server answers."""
    yield
    reply = httpx.get(f"{server.url}/v1/me", params={"apiKey": server.api_key}, timeout=PATIENCE)
    assert reply.json()["code"] == 200


def refused(reply: httpx.Response) -> tuple[int, int, str]:
    envelope = reply.json()
    assert (reply.headers["content-type"], envelope["success"]) == ("application/json", False)
    return reply.status_code, envelope["code"], envelope.get("message", "")


def post(server: LiveServer, body: bytes | dict[str, Any], path: str = "/v1/send", **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps({"apiKey": server.api_key} | body)
    return httpx.post(server.url + path, content=content, headers=headers, timeout=PATIENCE)


def parts(answer: bytes) -> tuple[int, dict[str, Any]]:
    """Return status and envelope of the first answer of a connection."""
    head, _, rest = answer.partition(b"\r\n\r\n")
    status, length = int(head.split()[1]), 0
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    return status, json.loads(rest[:length]) if length else {}


# -- bodies ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [b"{", b'{"message": "say "hi""}', b'{"a": NaN}', b'{"a": "\xff\xfe"}', b'{"a":' + b"[" * 900, b"{'a': 1}"],
)
def test_malformed_json(server: LiveServer, body: bytes) -> None:
    assert refused(post(server, body)) == MALFORMED


def test_what_is_long_is_not_read_without_a_key(server: LiveServer) -> None:
    assert refused(post(server, b'{"a":' + b"[" * 200_000))[:2] == (400, 1)


def test_an_unknown_charset(server: LiveServer) -> None:
    reply = post(server, b"{}", **{"content-type": "application/json; charset=klingon"})
    assert refused(reply) == MALFORMED


@contextmanager
def waiting(server: LiveServer) -> Iterator[Callable[[], bool]]:
    """Begin a body that never ends; what this yields tells whether the server still waits for its rest."""
    with socket.create_connection(server.address, timeout=PATIENCE) as peer:
        peer.sendall(b"POST /v1/send HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n{")
        yield lambda: not select.select([peer], [], [], 0)[0]


def test_a_body_cut_short_by_a_wrong_length_is_answered_at_once(server: LiveServer) -> None:
    """Some clients count characters: with an accent the last octets do not belong to the body any more."""
    body = json.dumps({"message": "déjà"}, ensure_ascii=False)
    head = f"POST /v1/send HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n\r\n"
    with waiting(server) as waits:
        status, envelope = parts(server.exchange(head.encode() + body.encode()))
        assert (status, envelope["code"]) == (400, 90)
        assert waits()


@pytest.mark.parametrize("size", [1_048_576, 5_000_000])
def test_a_body_of_a_megabyte_or_more(server: LiveServer, size: int) -> None:
    for _ in range(3):
        reply = post(server, b"{" * size)
        assert refused(reply) == (413, 413, "Le corps de la requête est trop volumineux")


def test_a_large_body_of_unknown_length(server: LiveServer) -> None:
    pieces, key = (b"x" * 65536 for _ in range(40)), {"apiKey": server.api_key}
    reply = httpx.post(f"{server.url}/v1/send", params=key, content=pieces, timeout=PATIENCE)
    assert refused(reply)[:2] == (413, 413)


def test_a_large_body_is_not_waited_for(server: LiveServer) -> None:
    head = b"POST /v1/send HTTP/1.1\r\nHost: x\r\nContent-Length: 900000000\r\n\r\n"
    with waiting(server) as waits:
        assert parts(server.exchange(head + b"{"))[0] == 413
        assert waits()


# -- types and lists ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/v1/send", {"phoneNumbers": {"a": 1}, "message": "x"}, 9),
        ("/v1/send", {"phoneNumbers": "0611111111", "message": ["x"]}, 9),
        ("/v1/send", {"phoneNumbers": "0611111111", "message": "x", "sender": {}}, 9),
        ("/v1/send", {"phoneNumbers": "0611111111", "message": "x", "scheduledDeliveryDate": []}, 9),
        ("/v1/send", {"phoneNumbers": [], "message": "x"}, 2),
        ("/v1/send", {"phoneNumbers": [f"06{number:08}" for number in range(501)], "message": "x"}, 50),
        ("/v1/send", {"phoneNumbers": "0611111111", "message": "x" * 1531}, 52),
        ("/v1/bulk-send", {"SMSList": "x"}, 9),
        ("/v1/bulk-send", {"SMSList": []}, 2),
        ("/v1/multi-status", {"SMSStatut_List": []}, 5),
        ("/v1/multi-status", {"SMSStatut_List": {}}, 6),
        ("/v1/multi-status", {"SMSStatut_List": [1]}, 6),
        ("/v1/send", {"apiKey": ["x"]}, 10),
        ("/v1/send", {"apiKey": None}, 1),
    ],
)
def test_wrong_types_and_lists(server: LiveServer, path: str, body: dict[str, Any], code: int) -> None:
    assert refused(post(server, body, path))[:2] == (400, code)


@pytest.mark.parametrize("message_id", ["999999", "abc", "9" * 400, "1e3", "-1"])
def test_unknown_ids(server: LiveServer, message_id: str) -> None:
    reply = httpx.get(
        f"{server.url}/v1/bulk-status", params={"apiKey": server.api_key, "messageId": message_id}, timeout=PATIENCE
    )
    assert refused(reply) == (400, 4, "Message introuvable")


# -- accounts ----------------------------------------------------------------------------------


def test_a_foreign_message_and_a_disabled_account(server: LiveServer) -> None:
    message = server.send("+33611111111")
    stranger = json.loads(server.esito("account", "create", "stranger", "--json"))["apiKey"]
    ask = {"apiKey": stranger, "messageId": message}
    assert refused(httpx.get(f"{server.url}/v1/bulk-status", params=ask, timeout=PATIENCE)) == (
        400,
        4,
        "Message introuvable",
    )
    server.esito("account", "disable", "stranger")
    assert refused(httpx.get(f"{server.url}/v1/bulk-status", params=ask, timeout=PATIENCE)) == (
        400,
        20,
        "Compte désactivé",
    )


def test_too_little_credit(server: LiveServer) -> None:
    poor = json.loads(server.esito("account", "create", "poor", "--credit", "0", "--json"))["apiKey"]
    reply = post(server, {"apiKey": poor, "phoneNumbers": "0611111111", "message": "x"})
    assert refused(reply) == (400, 11, "Manque de crédits")


# -- requests ----------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [33_000, 65_536])
def test_a_header_that_is_too_large(server: LiveServer, size: int) -> None:
    head = f"GET /v1/me?apiKey=x HTTP/1.1\r\nHost: x\r\nX-Large: {'y' * size}\r\n\r\n"
    assert parts(server.exchange(head.encode()))[0] == 431


@pytest.mark.parametrize("request_line", ["GET / HTTP/9.9", "nonsense", "GET /\xff HTTP/1.1"])
def test_what_is_no_http(server: LiveServer, request_line: str) -> None:
    answer = server.exchange(request_line.encode("latin-1") + b"\r\nHost: x\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 4") or answer == b""


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
def test_a_wrong_method(server: LiveServer, method: str) -> None:
    reply = httpx.request(method, f"{server.url}/v1/bulk-status", params={"apiKey": server.api_key}, timeout=PATIENCE)
    assert (reply.status_code, reply.headers["allow"]) == (405, "GET, HEAD")
    assert reply.content


def test_a_head_is_a_get_without_its_body(server: LiveServer) -> None:
    get, head = (
        httpx.request(method, f"{server.url}/v1/me", params={"apiKey": server.api_key}, timeout=PATIENCE)
        for method in ("GET", "HEAD")
    )
    assert (head.status_code, head.headers["content-length"]) == (200, str(len(get.content)))
    assert head.content == b""


@pytest.mark.parametrize("path", ["/", "/v1/nothing", "/v1/../etc/passwd", "/%2e%2e/x", "/v1/bulk-status%20"])
def test_an_unknown_path(server: LiveServer, path: str) -> None:
    target = f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    status, envelope = parts(server.exchange(target.encode()))
    assert (status, envelope["code"]) == (404, 404)


def test_an_absolute_target_is_served(server: LiveServer) -> None:
    target = (
        f"GET http://api.smspartner.fr/v1/me?apiKey={server.api_key} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    )
    assert parts(server.exchange(target.encode()))[1]["code"] == 200


# -- no refusal at all -------------------------------------------------------------------------


def test_a_link_that_is_down_refuses_nothing(tmp_path: Path) -> None:
    """The message is accepted, kept over a restart, and sent when the operator is there."""
    port = free_port()
    with live_server(tmp_path, smsc_port=port) as first:
        message = first.send("+33612340001")
        (item,) = first.status(message).json()["StatutResponse_List"]
        assert item["status"] == "Waiting"
        key = first.api_key
    with live_server(tmp_path, smsc_port=port, account="another") as second, live_smsc(port):

        def status() -> str:
            answer = httpx.get(
                f"{second.url}/v1/bulk-status", params={"apiKey": key, "messageId": message}, timeout=PATIENCE
            )
            return str(answer.json()["StatutResponse_List"][0]["status"])

        wait_until(lambda: status() == "Delivered", status)
