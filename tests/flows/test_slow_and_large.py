"""Clients that are slow on purpose, or send without end, keep nobody else from being answered."""

import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.kit.live import LiveServer, live_server
from tests.kit.needs import needs
from tests.kit.patience import A_TRY, PATIENCE

SLOW = {
    "headers": ["-H", "-i", "2"],
    "body": ["-B", "-i", "2", "-s", "8192"],
    "reading": ["-X", "-r", "100", "-w", "1", "-y", "2", "-n", "2", "-z", "1", "-k", "3"],
}
CONNECTIONS = 300
SECONDS = 6

ANSWERS = 3
"""Questions that are answered meanwhile, one after the other, by however little of the processor: to a server that
waits for the slow, none is. How much slower they are is measured by `make hostile`."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    with live_server(Path(tmp_path_factory.mktemp("slow")), http_per_address=0) as running:
        yield running


UNENDING = {
    "body": b"POST /v1/send HTTP/1.1\r\nhost: x\r\ncontent-length: 1000\r\n\r\n{",
    "headers": b"GET /v1/me HTTP/1.1\r\nhost: x\r\n",
}


def begin(server: LiveServer, octets: bytes) -> bytes:
    """Send the beginning of a request, and wait until the server closes the connection; return what it said."""
    with socket.create_connection(server.address, timeout=PATIENCE) as peer:
        peer.sendall(octets)
        return b"".join(iter(lambda: peer.recv(4096), b""))


@pytest.fixture(scope="module", autouse=True)
def unending(server: LiveServer) -> Iterator[dict[str, Future[bytes]]]:
    """Begin requests that never end; what becomes of them takes a while, in which other tests run."""
    with ThreadPoolExecutor(len(UNENDING)) as pool:
        yield {name: pool.submit(begin, server, octets) for name, octets in UNENDING.items()}


@contextmanager
def asking(server: LiveServer, *, at_least: int = 0) -> Iterator[None]:
    """Ask for a status again and again: each question is answered, and so many are before the block ends."""
    ending = threading.Event()
    message = server.send("0612345678", sandbox=1)

    def ask() -> int:
        answered = 0
        while not ending.is_set():
            assert server.status(message).status_code == 200
            answered += not ending.is_set()
            time.sleep(0.05)
        return answered

    with ThreadPoolExecutor(1) as pool:
        answers = pool.submit(ask)
        try:
            yield
        finally:
            ending.set()
    assert answers.result() >= at_least


def rss_mb(server: LiveServer) -> float:
    status = Path(f"/proc/{server.process.pid}/status").read_text(encoding="ascii")
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS:"))


@needs("slowhttptest")
@pytest.mark.parametrize("kind", SLOW)
def test_slow_clients_delay_nobody(server: LiveServer, tmp_path: Path, kind: str) -> None:
    before = rss_mb(server)
    path = "/openapi.json" if kind == "reading" else "/v1/send"
    with asking(server, at_least=ANSWERS):
        subprocess.run(
            ["slowhttptest", "-c", str(CONNECTIONS), *SLOW[kind], "-r", "200", "-u", f"{server.url}{path}",
             "-t", "POST" if kind == "body" else "GET", "-l", str(SECONDS), "-p", "3"],
            check=False, capture_output=True, cwd=tmp_path, timeout=PATIENCE,
        )  # fmt: skip
    assert rss_mb(server) < before + 64


@pytest.mark.parametrize("announced", [True, False], ids=["announced", "in chunks"])
def test_a_body_of_a_gigabyte_is_refused_early_and_kept_nowhere(server: LiveServer, announced: bool) -> None:
    before = rss_mb(server)
    length = b"content-length: 1073741824" if announced else b"transfer-encoding: chunked"
    with asking(server), socket.create_connection(server.address, timeout=PATIENCE) as peer:
        peer.sendall(b"POST /v1/send HTTP/1.1\r\nhost: x\r\n" + length + b"\r\n\r\n")
        piece = b"x" * 65536
        framed = piece if announced else b"10000\r\n" + piece + b"\r\n"
        written = 0
        with suppress(OSError):  # the server may close as soon as it has answered
            while written < 1 << 30:
                peer.sendall(framed)
                written += len(piece)
                if written > 1 << 24 and _answered(peer):
                    break
        answer = b""
        with suppress(OSError):
            answer = peer.recv(4096)
    assert written < 1 << 28, "it was read to the end"
    assert not answer or (b" 413 " if announced else b" 400 ") in answer  # in chunks: without a key, code 1 comes first
    assert rss_mb(server) < before + 32


def _answered(peer: socket.socket) -> bool:
    """Return whether something can be read."""
    peer.settimeout(0)
    try:
        return bool(peer.recv(1, socket.MSG_PEEK))
    except BlockingIOError:
        return False
    finally:
        peer.settimeout(PATIENCE)


def test_connections_beyond_the_limit_wait_and_idle_ones_end(tmp_path: Path) -> None:
    with live_server(tmp_path, http_connections=5) as small:
        held = [socket.create_connection(small.address, timeout=PATIENCE) for _ in range(5)]
        assert all(_says_ok(one) for one in held)
        with socket.create_connection(small.address, timeout=A_TRY) as further:
            assert not _says_ok(further)
            held[0].close()
            further.settimeout(PATIENCE)
            assert _says_ok(further, ask=False)
        assert held[1].recv(100) == b""
        for one in held:
            one.close()


def _says_ok(peer: socket.socket, *, ask: bool = True) -> bool:
    if ask:
        peer.sendall(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
    try:
        return peer.recv(1000).startswith(b"HTTP/1.1 200")
    except TimeoutError:
        return False


def test_a_body_that_never_ends_is_given_up(unending: dict[str, Future[bytes]]) -> None:
    said = unending["body"].result()
    assert b" 400 " in said
    assert b'"code":90' in said


def test_headers_that_never_end_are_given_up(unending: dict[str, Future[bytes]]) -> None:
    unending["headers"].result()
