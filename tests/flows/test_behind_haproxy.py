"""A key that is bound to a network, behind a real HAProxy: who asks is the client it saw, whatever the client says."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from esito_cluster.process import free_port
from tests.kit.live import LiveServer, live_server
from tests.kit.needs import needs
from tests.kit.patience import PATIENCE, wait_until

pytestmark = needs("haproxy")

PROXY, FRIEND, STRANGER = "127.0.0.1", "127.0.0.2", "127.0.0.3"
"""Addresses of this machine; the proxy is trusted, and the key is bound to the friend's."""

FORWARDED = "X-Forwarded-For"

CONFIGURATION = """
defaults
    mode http
    timeout connect 10s
    timeout client 60s
    timeout server 60s
    option forwardfor

frontend front
    bind 127.0.0.1:{front}
    default_backend esito

backend esito
    server one 127.0.0.1:{server} source {proxy}
"""

ALLOWED, REFUSED = (200, 200), (400, 96)
"""HTTP status and code."""


@dataclass(frozen=True, slots=True)
class Behind:
    """A server and the proxy before it."""

    server: LiveServer
    front: int
    key: str

    def asked(self, client: str, *forwarded: str, port: int = 0) -> tuple[int, int]:
        """Ask from an address, with these lines of `X-Forwarded-For`; at the server's own port, if given."""
        headers = [(FORWARDED, line) for line in forwarded]
        url = f"http://127.0.0.1:{port or self.front}/v1/me"
        with httpx.Client(transport=httpx.HTTPTransport(local_address=client), timeout=PATIENCE) as http:
            answer = http.get(url, params={"apiKey": self.key}, headers=headers)
        return answer.status_code, answer.json()["code"]


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    folder = tmp_path_factory.mktemp("haproxy")
    with live_server(folder, http_trusted_proxies=[PROXY]) as server:
        made = json.loads(server.esito("account", "key", "acme", "--network", f"{FRIEND}/32", "--json"))
        with haproxy(folder, server.address[1]) as front:
            yield Behind(server, front, made["apiKey"])


@contextmanager
def haproxy(folder: Path, server: int) -> Iterator[int]:
    """Run an HAProxy before a server on loopback; return its port."""
    front, file = free_port(), folder / "haproxy.cfg"
    file.write_text(CONFIGURATION.format(front=front, server=server, proxy=PROXY))
    with (folder / "haproxy.log").open("w") as log:
        process = subprocess.Popen(["haproxy", "-db", "-f", str(file)], stdout=log, stderr=log)
    try:
        wait_until(lambda: answers(front), (folder / "haproxy.log").read_text)
        yield front
    finally:
        process.terminate()
        process.wait(PATIENCE)


def answers(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=PATIENCE).is_success
    except httpx.TransportError:
        return False


FORGED = [(), (FRIEND,), (f"{FRIEND}, {FRIEND}",), (f"{STRANGER}, {FRIEND}",), (FRIEND, FRIEND), (FRIEND, PROXY), ("",)]
"""Lines that a client writes itself; HAProxy appends one of its own to them."""


@pytest.mark.parametrize("forged", FORGED, ids=str)
def test_a_stranger_is_refused_whatever_he_says_he_is(behind: Behind, forged: tuple[str, ...]) -> None:
    assert behind.asked(STRANGER, *forged) == REFUSED


@pytest.mark.parametrize("forged", [*FORGED, (STRANGER,), (STRANGER, PROXY), ("nonsense",)], ids=str)
def test_a_friend_is_let_in_whatever_stands_before_his_address(behind: Behind, forged: tuple[str, ...]) -> None:
    assert behind.asked(FRIEND, *forged) == ALLOWED


def test_who_goes_round_the_proxy_is_judged_by_his_own_address(behind: Behind) -> None:
    port = behind.server.address[1]
    assert behind.asked(STRANGER, FRIEND, port=port) == REFUSED
    assert behind.asked(FRIEND, STRANGER, port=port) == ALLOWED
