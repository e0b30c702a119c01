"""One request to a receiver: what is sent, what is read, and what is said of receivers that misbehave."""

import asyncio
import gzip
import socket
import ssl
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from esito.webhooks.addresses import Judge
from esito.webhooks.sender import ANSWER_KEPT, Attempt, Sender
from tests.kit.listener import Listener
from tests.kit.needs import needs

PRIVATE = Judge(allow_private_networks=True)

BODY = b'{"status":"delivered"}'


def posted(url: str, sender: Sender | None = None, times: int = 1) -> Attempt:
    async def post() -> Attempt:
        one = sender or Sender(judge=PRIVATE)
        await one.start()
        try:
            for _ in range(times):
                attempt = await one.post(url, BODY, {"webhook-id": "msg_1"})
            return attempt
        finally:
            await one.close()

    return asyncio.run(post())


def answer(status: str = "200 OK", body: bytes = b"", *headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}", *headers, "connection: close"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@pytest.mark.parametrize("status", ["200 OK", "204 No Content", "302 Found", "404 Not Found", "410 Gone", "500 Oops"])
def test_the_status_is_told_as_it_came(status: str) -> None:
    with Listener(answer(status, b"" if "204" in status else b"said", "location: http://127.0.0.1:1/")) as listener:
        attempt = posted(f"http://127.0.0.1:{listener.port}/")
    assert (attempt.status, attempt.error) == (int(status[:3]), "")
    assert attempt.address == "127.0.0.1"
    assert listener.connections == 1, "a redirect was followed"


@pytest.mark.parametrize("rest", ["/dlr?secret=a%2Fb+c&x=%zz;y='\"&&=", "/a/../b//c", "?only=query", "/%C3%A9?x=%e9"])
def test_path_and_query_arrive_untouched(rest: str) -> None:
    with Listener() as listener:
        posted(f"http://localhost:{listener.port}{rest}")
    target = listener.requests[0].split(b" ")[1].decode("utf-8")
    wanted = rest if rest.startswith("/") else f"/{rest}"
    assert target == wanted


def test_what_is_sent() -> None:
    with Listener() as listener:
        posted(f"http://me:my%20word@localhost:{listener.port}/x")
    head, _, body = listener.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().lower().split("\r\n")
    assert lines[0] == "post /x http/1.1"
    assert body == BODY
    assert f"host: localhost:{listener.port}" in lines
    assert "content-type: application/json" in lines
    assert "webhook-id: msg_1" in lines
    assert "authorization: basic bwu6bxkgd29yza==" in lines  # lower-cased with the rest
    assert not [line for line in lines if line.startswith("cookie")]


def test_cookies_are_not_kept() -> None:
    with Listener(answer("200 OK", b"", "set-cookie: a=b")) as listener:
        posted(f"http://127.0.0.1:{listener.port}/", times=2)
    assert b"a=b" not in listener.requests[1]


def test_of_a_long_answer_the_beginning_is_kept_and_the_rest_not_awaited() -> None:
    endless = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n" + b"y" * 70_000
    with Listener(endless, pause=0.01, endless=b"z" * 1000) as listener:
        attempt = posted(f"http://127.0.0.1:{listener.port}/")
    assert attempt.status == 200
    assert attempt.answer == b"y" * ANSWER_KEPT
    assert attempt.milliseconds < 5000


def test_a_compressed_answer_is_not_blown_up() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    with Listener(answer("200 OK", bomb[:60_000], "content-encoding: gzip")) as listener:
        attempt = posted(f"http://127.0.0.1:{listener.port}/")
    assert attempt.status == 200
    assert attempt.answer == bomb[:ANSWER_KEPT]


@pytest.mark.parametrize("said", [b"", b"HTTP/1.1 20", b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n"])
def test_a_slow_receiver_is_left(said: bytes) -> None:
    with Listener(said, pause=30) as listener:
        attempt = posted(f"http://127.0.0.1:{listener.port}/", Sender(judge=PRIVATE, all_within=0.7))
    assert (attempt.status, attempt.error) == (None, "no answer within 0.7 seconds")
    assert attempt.milliseconds > 600


def test_of_slow_headers_the_status_counts() -> None:
    with Listener(b"HTTP/1.1 200 OK\r\n", pause=0.1, endless=b"x-slow: 1\r\n") as listener:
        attempt = posted(f"http://127.0.0.1:{listener.port}/", Sender(judge=PRIVATE, all_within=0.7))
    assert (attempt.status, attempt.error) == (200, "")


def test_of_a_slow_body_the_status_counts() -> None:
    with Listener(b"HTTP/1.1 200 OK\r\n\r\n", pause=0.1, endless=b"z") as listener:
        attempt = posted(f"http://127.0.0.1:{listener.port}/", Sender(judge=PRIVATE, all_within=2))
    assert (attempt.status, attempt.error) == (200, "")
    assert set(attempt.answer) <= {ord("z")}


def test_a_receiver_that_is_not_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert posted(f"http://127.0.0.1:{port}/").error.startswith("cannot connect (")


def test_a_receiver_that_hangs_up_is_asked_once() -> None:
    with Listener(b"") as listener:
        attempt = posted(f"http://127.0.0.1:{listener.port}/")
    assert attempt.error == "the receiver closed the connection without an answer"
    assert listener.connections == 1


@pytest.mark.parametrize(("said", "connections"), [(b"", 2), (b"HTTP/1.1 202 Taken\r\n", 1)])
def test_where_a_kept_connection_ends_a_new_one_is_tried_at_once_unless_the_status_was_said(
    said: bytes, connections: int
) -> None:
    made = 0

    async def answer_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal made
        made += 1
        for words in (b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", said):
            await reader.readuntil(BODY)
            writer.write(words)
        writer.close()

    async def twice() -> Attempt:
        server = await asyncio.start_server(answer_once, "127.0.0.1", 0)
        sender = Sender(judge=PRIVATE)
        await sender.start()
        try:
            for _ in range(2):
                attempt = await sender.post(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", BODY, {})
            return attempt
        finally:
            await sender.close()
            server.close()

    assert asyncio.run(twice()).status == (202 if said else 200)
    assert made == connections


@pytest.mark.parametrize("said", [b"SSH-2.0-OpenSSH_9.2\r\n", b"HTTP/1.1 200OK\r\n\r\n", b"HTTP/1.1 " + b"2" * 5000])
def test_an_answer_that_is_not_http(said: bytes) -> None:
    with Listener(said) as listener:
        attempt = posted(f"http://127.0.0.1:{listener.port}/")
    assert (attempt.status, attempt.error) == (None, "the answer is not HTTP")


def test_a_name_that_does_not_resolve() -> None:
    async def resolve(_host: str, _port: int, _account: int) -> Sequence[str]:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    attempt = posted("http://nowhere.example/", Sender(judge=Judge(), resolve=resolve))
    assert attempt.error == "the name cannot be resolved (Name or service not known)"


def test_the_next_address_is_tried_where_the_first_does_not_answer() -> None:
    with Listener() as listener:

        async def resolve(_host: str, _port: int, _account: int) -> Sequence[str]:
            return ["127.0.0.99", "127.0.0.1"]

        attempt = posted(f"http://hooks.example:{listener.port}/", Sender(judge=PRIVATE, resolve=resolve))
    assert (attempt.status, attempt.address) == (204, "127.0.0.1")


@needs("openssl")
def test_tls_is_verified_against_the_name(tmp_path: Path) -> None:
    key, cert = tmp_path / "key.pem", tmp_path / "cert.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
         "-subj", "/CN=other.example", "-addext", "subjectAltName=DNS:other.example", "-keyout", key, "-out", cert],
        check=True, capture_output=True,
    )  # fmt: skip

    async def attempt() -> Attempt:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        server = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0, ssl=context)
        sender = Sender(judge=PRIVATE)
        await sender.start()
        try:
            return await sender.post(f"https://localhost:{server.sockets[0].getsockname()[1]}/", BODY, {})
        finally:
            await sender.close()
            server.close()

    told = asyncio.run(attempt())
    assert told.status is None
    assert "certificate" in told.error


@pytest.mark.parametrize(
    "answer_octets",
    [
        b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab",
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\na name: 1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nnul: \0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: many\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nlong: " + bytes(100_000).replace(b"\0", b"x") + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 10_000 + b"\r\n",
        b"HTTP/1.1 200 " + b"OK" * 10_000 + b"\r\n\r\n",
        b"HTTP/1.1 200\r\n",
        b"HTTP/1.1 200 O",
        b"HTTP/1.1  200 OK\r\n\r\n",
        b"HTTP/1.1 200\tOK\r\n\r\n",
        b"http/1.1 200 OK\r\n\r\n",
        b"HTTP/2 200 OK\r\n\r\n",
        b"HTTP/1.0 100 Continue\r\nx: y\r\n\r\nHTTP/1.1 200 OK\r\nbroken\r\n\r\n",
    ],
)
def test_a_status_counts_however_the_answer_goes_on(answer_octets: bytes) -> None:
    with Listener(answer_octets) as listener:
        attempt = posted(f"http://127.0.0.1:{listener.port}/")
    assert (attempt.status, attempt.error) == (200, "")


def test_a_host_beyond_ascii_is_named_and_looked_up_by_its_a_label() -> None:
    asked: list[str] = []

    async def resolve(host: str, _port: int, _account: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"]

    with Listener() as listener:
        for host in ("stra\u00dfe.example", "b\u00fccher.example"):
            posted(f"http://{host}:{listener.port}/\u00e9?a=\u00e8&b=%C3%A9", Sender(judge=PRIVATE, resolve=resolve))
    assert asked == ["xn--strae-oqa.example", "xn--bcher-kva.example"]
    for request, name in zip(listener.requests, asked, strict=True):
        head = request.partition(b"\r\n\r\n")[0].decode("ascii")
        assert head.startswith("POST /%C3%A9?a=%C3%A8&b=%C3%A9 HTTP/1.1\r\n")
        assert f"host: {name}:{listener.port}" in head.lower()
