"""Connections that say nothing, do not read, or are too many of an address; the sockets are real ones."""

import asyncio
import fcntl
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest

from esito.app.connection_limits import (
    COUNT_EVERY,
    LOOK_EVERY,
    ConnectionLimits,
    ConnectionTimeouts,
    _lowest_free,
    traffic,
)
from tests.kit.patience import PATIENCE, wait_until

MUCH = b"x" * 65536

GAPS = 10
"""Descriptors below the others that a test run may close at any time."""


class Port:
    """A listening socket of ours, whoever connects to it, and a clock that is pushed."""

    def __init__(self, opened: ExitStack) -> None:
        self._opened = opened
        self._listening = opened.enter_context(socket.create_server(("127.0.0.1", 0)))
        self.port = self._listening.getsockname()[1]
        self.now = 0.0

    def clocks(self, *, per_address: int = 0, **given: Any) -> ConnectionLimits:
        timeouts = ConnectionTimeouts(first_request=15, between_requests=1000, unread=30)
        return ConnectionLimits(
            self.port, per_address=per_address, now=lambda: self.now, **{"timeouts": timeouts, **given}
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
    before = traffic(to_slow).acknowledged
    wait_until(lambda: slow.recv(len(MUCH)) and traffic(to_slow).acknowledged > before)
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
    """Write what can be written now; tell whether it was nothing.

    Much at a time: a busy kernel may still have taken a lot after `fill`, which octets one by one would never refill.
    """
    try:
        ours.send(MUCH)
    except BlockingIOError:
        return True
    return False


def test_who_says_nothing_between_requests_is_left(at: Port) -> None:
    clocks = at.clocks(timeouts=ConnectionTimeouts(between_requests=0.05))
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
@pytest.mark.parametrize(
    ("per_address", "free", "counted"),
    [
        (64, [10, *[70] * 25], 20),  # sixty more: they may all be of one address, and are not too many
        (64, [10, 40, 75], 2),
        (64, [10, sys.maxsize], 1),  # no descriptor is free
        (0, [10, *[5000] * 25], 20),  # an address may have any number
    ],
)
async def test_the_next_look_is_at_once_when_an_address_may_have_too_many(
    at: Port, monkeypatch: pytest.MonkeyPatch, per_address: int, free: list[int], counted: int
) -> None:
    clocks = at.clocks(per_address=per_address)
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)

    def look() -> dict[str, int]:
        raise asyncio.CancelledError

    monkeypatch.setattr(clocks, "look", look)
    monkeypatch.setattr("esito.app.connection_limits._lowest_free", lambda: free.pop(0))
    monkeypatch.setattr("esito.app.connection_limits.asyncio.sleep", sleep)
    with pytest.raises(asyncio.CancelledError):
        await clocks.run()
    assert waits == [COUNT_EVERY] * counted
    assert pytest.approx(LOOK_EVERY) == COUNT_EVERY * 20


def test_the_lowest_number_that_is_free_grows_with_the_connections(at: Port) -> None:
    before = _lowest_free()
    met = [at.met() for _ in range(20)]
    assert _lowest_free() >= before + 2 * len(met) - GAPS


def test_a_file_that_got_the_number_of_a_socket_keeps_its_locks(
    at: Port, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A process that closes any descriptor of a file gives up its locks on it, and so would the database's."""
    with (tmp_path / "database").open("w") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        copies: list[int] = []

        def dup(_number: int) -> int:
            copies.append(real_dup(file.fileno()))
            return copies[-1]

        real_dup = os.dup
        at.met()
        with monkeypatch.context() as patched:
            patched.setattr("esito.app.connection_limits.os.dup", dup)
            assert at.clocks().look() == {}
        assert copies
        locks = "import fcntl, sys; fcntl.lockf(open(sys.argv[1], 'w'), fcntl.LOCK_EX | fcntl.LOCK_NB)"
        tried = subprocess.run([sys.executable, "-c", locks, file.name], capture_output=True, text=True, check=False)
        for copy in copies:
            os.close(copy)
    assert "BlockingIOError" in tried.stderr
