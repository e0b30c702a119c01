"""Connections that say nothing, or do not read what is said: each is left, and others are served meanwhile."""

import socket
import ssl
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from tests.flows.test_tls import certificate
from tests.kit.live import LiveServer, live_server
from tests.kit.needs import needs
from tests.kit.patience import A_TRY, PATIENCE, wait_until

pytestmark = needs("openssl")

MANY = 40
HELLO = bytes.fromhex("16030102000100")
"""How a ClientHello begins; the rest never comes."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with live_server(tmp_path_factory.mktemp("plain")) as running:
        yield running


@pytest.fixture(scope="module")
def encrypted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    folder = tmp_path_factory.mktemp("encrypted")
    certificate(folder, "localhost")
    paths: dict[str, Any] = {"http_tls_cert": str(folder / "cert.pem"), "http_tls_key": str(folder / "key.pem")}
    with live_server(folder, **paths) as running:
        yield running


def connect(server: LiveServer) -> socket.socket:
    return socket.create_connection(server.address, timeout=2 * PATIENCE)


def ended(peer: socket.socket) -> bool:
    """Wait until the server ends the connection."""
    with suppress(ConnectionError):
        while peer.recv(65536):
            pass
    return True


def silent(server: LiveServer) -> bool:
    with connect(server) as peer:
        return ended(peer)


def silent_amid_a_handshake(server: LiveServer) -> bool:
    with connect(server) as peer:
        peer.sendall(HELLO)
        return ended(peer)


def silent_after_a_handshake(server: LiveServer) -> bool:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with connect(server) as plain, context.wrap_socket(plain) as peer:
        return ended(peer)


def half_of_the_preface_of_version_2(server: LiveServer) -> bool:
    with connect(server) as peer:
        peer.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        return ended(peer)


def deaf(server: LiveServer) -> bool:
    """Ask for more than is kept between us, and read nothing of it until the server has thrown it away."""
    with connect(server) as peer:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.sendall(b"GET /openapi.json HTTP/1.1\r\nhost: x\r\n\r\n" * 300)
        return bool(wait_until(lambda: peer.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), times=2))


KINDS: dict[str, tuple[str, Callable[[LiveServer], bool]]] = {
    "nothing at all": ("server", silent),
    "half of a preface": ("server", half_of_the_preface_of_version_2),
    "no reading": ("server", deaf),
    "no handshake": ("encrypted", silent),
    "half a handshake": ("encrypted", silent_amid_a_handshake),
    "nothing after the handshake": ("encrypted", silent_after_a_handshake),
}


@pytest.fixture(scope="module")
def begun(server: LiveServer, encrypted: LiveServer) -> Iterator[dict[str, Future[bool]]]:
    """Begin all of them: each waits, and the others are begun meanwhile."""
    servers = {"server": server, "encrypted": encrypted}
    with ThreadPoolExecutor(len(KINDS)) as pool:
        yield {name: pool.submit(kind, servers[which]) for name, (which, kind) in KINDS.items()}


def test_who_asks_again_and_again_stays(server: LiveServer, begun: dict[str, Future[bool]]) -> None:
    with connect(server) as peer:
        for one in begun.values():  # each takes longer than a first request may
            while not one.done():
                assert ok(peer)
                wait([one], timeout=A_TRY)


@pytest.mark.parametrize("kind", KINDS)
def test_who_says_nothing_or_does_not_read_is_left(begun: dict[str, Future[bool]], kind: str) -> None:
    assert begun[kind].result()


def test_an_address_has_a_bound_and_who_was_there_before_is_served(tmp_path: Path) -> None:
    with live_server(tmp_path, http_per_address=3) as small, connect(small) as first:
        assert ok(first)
        others = []
        for _ in range(MANY):
            with suppress(ConnectionError):  # it is ended before connect() returns
                others.append(connect(small))
        for one in others:
            one.settimeout(0)
        wait_until(lambda: len(others) - sum(map(is_over, others)) == 2)
        assert ok(first)
        for one in others:
            one.close()
        wait_until(lambda: ok_on_a_new_one(small))


def ok(peer: socket.socket) -> bool:
    peer.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
    return peer.recv(1000).startswith(b"HTTP/1.1 200")


def ok_on_a_new_one(server: LiveServer) -> bool:
    with suppress(ConnectionError), connect(server) as peer:
        return ok(peer)
    return False


def is_over(peer: socket.socket) -> bool:
    try:
        return peer.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionError:
        return True


def test_version_2_is_not_spoken(server: LiveServer) -> None:
    assert b"HTTP/2" not in server.exchange(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9) + b"\x00" * 64)
