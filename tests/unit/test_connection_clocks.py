"""Connections that say nothing, do not read, or are too many of an address; the sockets are real ones."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from ipaddress import ip_network
from typing import Any

import pytest

from esito.connection_clocks import LOOK_EVERY, LOOK_SOON, ConnectionClocks, Patience, passed
from tests.kit.patience import PATIENCE, wait_until

MUCH = b"x" * 65536


class Port:
    """A listening socket of ours, whoever connects to it, and a clock that is pushed."""

    def __init__(self, opened: ExitStack) -> None:
        self._opened = opened
        self._listening = opened.enter_context(socket.create_server(("127.0.0.1", 0)))
        self.port = self._listening.getsockname()[1]
        self.now = 0.0

    def clocks(self, *, per_address: int = 0, **given: Any) -> ConnectionClocks:
        patience = Patience(first_request=15, between_requests=1000, unread=30)
        return ConnectionClocks(
            self.port, per_address=per_address, now=lambda: self.now, **{"patience": patience, **given}
        )

    def met(self) -> tuple[socket.socket, socket.socket]:
        """Return a new connection: the client's end, and ours."""
        client = self._opened.enter_context(socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE))
        ours, _ = self._listening.accept()
        self._opened.enter_context(ours)
        return client, ours


@pytest.fixture
def at() -> Iterator[Port]:
    with ExitStack() as opened:
        yield Port(opened)


def is_left(client: socket.socket) -> bool:
    """Tell whether the other end has ended the connection."""
    client.settimeout(0)
    try:
        while client.recv(1 << 20):
            pass
    except BlockingIOError:
        return False
    except ConnectionError:
        pass
    return True


def test_who_makes_no_request_is_left(at: Port) -> None:
    clocks = at.clocks()
    (silent, _), (asking, _) = at.met(), at.met()
    assert clocks.look() == {}
    clocks.requested(asking.getsockname())
    at.now = 15
    assert clocks.look() == {}
    at.now = 15.1
    assert clocks.look() == {"no request": 1}
    assert (is_left(silent), is_left(asking)) == (True, False)
    at.now = 1000
    assert clocks.look() == {}


def test_a_trickle_is_no_request(at: Port) -> None:
    clocks = at.clocks()
    client, ours = at.met()
    clocks.look()
    for at.now in range(1, 16):
        client.sendall(b"x")
        ours.recv(1)
        assert clocks.look() == {}
    at.now = 16
    assert clocks.look() == {"no request": 1}


def test_who_does_not_read_is_left_and_who_reads_slowly_is_not(at: Port) -> None:
    clocks = at.clocks()
    (deaf, to_deaf), (slow, to_slow) = at.met(), at.met()
    for client, ours in ((deaf, to_deaf), (slow, to_slow)):
        clocks.requested(client.getsockname())
        ours.settimeout(0)
        fill(ours)
    clocks.look()
    at.now = 29
    # What the kernel still took of either, it took by now.
    wait_until(lambda: not clocks.look() and at_rest(to_deaf) and at_rest(to_slow))
    before = passed(to_slow).acknowledged
    wait_until(lambda: slow.recv(len(MUCH)) and passed(to_slow).acknowledged > before)
    at.now = 60
    left = wait_until(clocks.look)
    assert left == {"an answer is not read": 1}
    assert (is_left(deaf), to_slow.fileno() > 0) == (True, True)
    with pytest.raises(OSError, match=r"[Bb]roken pipe|reset"):
        to_deaf.sendall(MUCH)


def fill(ours: socket.socket) -> None:
    """Write until nothing more can be written."""
    with suppress(BlockingIOError):
        while True:
            ours.sendall(MUCH)


def at_rest(ours: socket.socket) -> bool:
    """Tell whether nothing more can be written."""
    try:
        ours.send(b"x")
    except BlockingIOError:
        return True
    return False


def test_who_says_nothing_between_requests_is_left(at: Port) -> None:
    clocks = at.clocks(patience=Patience(between_requests=0.05))
    client, ours = at.met()
    clocks.requested(client.getsockname())
    client.sendall(b"request")
    ours.sendall(b"answer")
    assert client.recv(100) == b"answer"
    assert wait_until(clocks.look) == {"idle": 1}
    assert is_left(client)


def test_of_an_address_that_has_too_many_the_newest_are_left(at: Port) -> None:
    clocks = at.clocks(per_address=3)
    first = [at.met()[0] for _ in range(2)]
    clocks.look()
    at.now = 1
    later = [at.met()[0] for _ in range(3)]
    assert clocks.look() == {"too many of an address": 2}
    assert [is_left(one) for one in first] == [False, False]
    assert sorted(is_left(one) for one in later) == [False, True, True]


def test_a_proxy_may_have_any_number(at: Port) -> None:
    clocks = at.clocks(per_address=1, proxies=[ip_network("127.0.0.0/8")])
    for _ in range(3):
        at.met()
    assert clocks.look() == {}


def test_other_sockets_of_the_process_are_left_alone(at: Port) -> None:
    with ExitStack() as opened:
        other = Port(opened)
        client, _ = other.met()
        for one in socket.socketpair():
            opened.enter_context(one)
        clocks = at.clocks(per_address=1)
        clocks.look()
        at.now = 1000
        assert clocks.look() == {}
        assert not is_left(client)


def test_what_is_looked_at_is_not_kept_open(at: Port) -> None:
    clocks = at.clocks()
    client, ours = at.met()
    clocks.look()
    ours.close()
    wait_until(lambda: is_left(client))
    assert clocks.look() == {}


@pytest.mark.anyio
async def test_after_somebody_was_left_the_next_look_comes_soon(at: Port, monkeypatch: pytest.MonkeyPatch) -> None:
    clocks = at.clocks()
    found: list[dict[str, int] | OSError] = [{"idle": 3}, OSError("no descriptor is free"), {"idle": 1}, {}]
    waits: list[float] = []

    def look() -> dict[str, int]:
        one = found.pop(0)
        if isinstance(one, OSError):
            raise one
        return one

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        if not found:
            raise asyncio.CancelledError

    monkeypatch.setattr(clocks, "look", look)
    monkeypatch.setattr("esito.connection_clocks.asyncio.sleep", sleep)
    with pytest.raises(asyncio.CancelledError):
        await clocks.run()
    assert waits == [LOOK_EVERY, LOOK_SOON, LOOK_SOON, LOOK_SOON, LOOK_EVERY]
