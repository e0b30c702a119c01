"""Limits of the connections to the API: how long they may be silent, and how many an address may have.

The web server limits the time for headers, and nothing before or after them. So we look at the sockets themselves, by
the kernel's own counts (`tcp_info` of tcp(7)): every connection has its timeouts from its first moment, whichever
server holds it, and encrypted or not.
"""

import asyncio
import os
import socket
import struct
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from stat import S_ISSOCK
from typing import NamedTuple

import structlog

from esito.api.http.client_address import Network, customer, read_address

log = structlog.get_logger()

LOOK_EVERY = 1.0
"""Seconds between two looks."""

COUNT_EVERY = 0.05
"""Seconds between two counts of new connections: the next look comes at once when one address may have too many.
A connection costs memory from its first octet on, and two thousand may come within a second."""

FOLDER = "/proc/self/fd"

_INFO = struct.Struct("=8x 4I I 4I 15I QQQQ III")
"""struct tcp_info of Linux, from its beginning to `tcpi_notsent_bytes`."""
_UNACKED, _LAST_SENT, _LAST_RECEIVED, _BYTES_ACKED, _NOT_SENT = 4, 9, 11, 26, 30

_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: discard unsent octets with the connection."""

Peer = tuple[str, int]
"""Address and port of the other end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionTimeouts:
    """How long a connection is kept, in seconds."""

    first_request: float = 15.0
    """From its first moment to the end of its first request, TLS handshake included."""
    between_requests: float = 75.0
    """Without an octet in either direction."""
    unread: float = 30.0
    """While the other end does not read what we wrote."""


class Traffic(NamedTuple):
    """The kernel's counts of a connection."""

    outstanding: int
    """Octets written and not acknowledged; only whether it is 0 is exact."""
    acknowledged: int
    """Octets acknowledged in all."""
    silent_s: float
    """Since the last octet in either direction."""


def traffic(connection: socket.socket) -> Traffic:
    """Return the kernel's counts. Raises OSError."""
    info = _INFO.unpack_from(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO.size).ljust(_INFO.size))
    silent_ms = min(info[_LAST_SENT], info[_LAST_RECEIVED])
    return Traffic(info[_UNACKED] + info[_NOT_SENT], info[_BYTES_ACKED], silent_ms / 1000)


class _Connection:
    """What we know of one connection."""

    __slots__ = ("acknowledged", "began", "closed", "customer", "peer", "progressed", "served")

    def __init__(self, peer: Peer, customer: str, now: float) -> None:
        self.peer = peer
        self.customer = customer
        """The name under which it counts; empty: it does not count."""
        self.began = now
        self.served = False
        self.closed = False
        self.acknowledged = 0
        self.progressed = now

    def fault(self, now: float, so_far: Traffic, timeouts: ConnectionTimeouts) -> str:
        """Return why it must be closed; empty: it need not."""
        if so_far.acknowledged != self.acknowledged or not so_far.outstanding:
            self.acknowledged, self.progressed = so_far.acknowledged, now
        if not self.served and now - self.began > timeouts.first_request:
            return "no request"
        if now - self.progressed > timeouts.unread:
            return "an answer is not read"
        if not so_far.outstanding and so_far.silent_s > timeouts.between_requests:
            return "idle"
        return ""


class ConnectionLimits:
    """Closes connections to one of our ports that exceed a timeout, and those of an address that has too many."""

    def __init__(
        self,
        port: int,
        *,
        per_address: int,
        proxies: Sequence[Network] = (),
        timeouts: ConnectionTimeouts | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`per_address`: connections that one address may have, except the `proxies`; 0: any number."""
        self._port = port
        self._per_address = per_address
        self._proxies = tuple(proxies)
        self._timeouts = timeouts or ConnectionTimeouts()
        self._now = now
        self._known: dict[int, _Connection] = {}
        self._requests: set[Peer] = set()

    def requested(self, peer: tuple[str, int | str]) -> None:
        """Note that a peer made a request; the API calls it for each."""
        self._requests.add((peer[0], int(peer[1])))  # the web server writes the port as text

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self._until_next_look()
            try:
                closed = await asyncio.to_thread(self.look)
            except OSError as error:  # no descriptor is free for a moment
                log.warning("connections_not_looked_at", reason=str(error))
                continue
            for why, count in closed.items():
                log.info("connections_left", reason=why, count=count)

    async def _until_next_look(self) -> None:
        before = _lowest_free()
        for _ in range(round(LOOK_EVERY / COUNT_EVERY)):
            await asyncio.sleep(COUNT_EVERY)
            if self._per_address and _lowest_free() > before + self._per_address:
                return

    def look(self) -> dict[str, int]:
        """Look at every connection once; return how many were closed, by reason."""
        requests, self._requests = self._requests, set()
        now, still, closed = self._now(), {}, defaultdict[str, int](int)
        of_address = defaultdict[str, list[tuple[float, int, socket.socket]]](list)
        held: list[socket.socket] = []
        try:
            for inode, copy in _sockets():
                known = None if inode in still else self._known.get(inode) or self._met(copy, now)
                if known is None:
                    copy.close()
                    continue
                held.append(copy)
                still[inode] = known
                known.served = known.served or known.peer in requests
                if known.closed:
                    continue
                if fault := self._fault(known, copy, now):
                    known.closed = _reset(copy)
                    closed[fault] += 1
                elif known.customer:
                    of_address[known.customer].append((known.began, inode, copy))
            for connections in of_address.values():
                for _, inode, copy in sorted(connections, key=lambda one: one[:2])[self._per_address :]:
                    still[inode].closed = _reset(copy)
                    closed["too many of an address"] += 1
        finally:
            for copy in held:
                copy.close()
        self._known = still
        return dict(closed)

    def _met(self, copy: socket.socket, now: float) -> _Connection | None:
        """Return a connection that is new; None for a socket that is not a connection to our port."""
        try:
            if copy.type != socket.SOCK_STREAM or copy.getsockname()[1] != self._port:
                return None
            host, port = copy.getpeername()[:2]
        except (OSError, IndexError, TypeError, ValueError):  # not connected, or of another family
            return None
        return _Connection((host, port), self._counted(host), now)

    def _fault(self, known: _Connection, copy: socket.socket, now: float) -> str:
        try:
            return known.fault(now, traffic(copy), self._timeouts)
        except OSError:  # it has just ended
            return ""

    def _counted(self, host: str) -> str:
        """Return the name under which a connection from there counts; empty: it does not count."""
        address = read_address(host)
        if not self._per_address or address is None:
            return ""
        if any(address.version == one.version and address in one for one in self._proxies):
            return ""
        return customer(address)


def _lowest_free() -> int:
    """Return the number of the next descriptor: it grows with the number of open ones."""
    try:
        number = os.eventfd(0)
    except OSError:  # none is free
        return sys.maxsize
    os.close(number)
    return number


def _sockets() -> Iterator[tuple[int, socket.socket]]:
    """Yield the sockets of this process, each with its inode and as a copy that the caller closes.

    One may come twice: a copy may get the number of a descriptor that was closed since they were listed.
    """
    for name in os.listdir(FOLDER):  # noqa: PTH208  thousands: names are enough
        try:
            if not S_ISSOCK(os.fstat(int(name)).st_mode):
                continue
            number = os.dup(int(name))
        except OSError:  # it was closed in between
            continue
        status = os.fstat(number)
        # A file may have the number by now. Its copy stays open: closing one descriptor of a database drops its locks.
        if not S_ISSOCK(status.st_mode):
            continue
        try:
            yield status.st_ino, socket.socket(fileno=number)
        except OSError:  # of a family that Python does not know
            os.close(number)


def _reset(copy: socket.socket) -> bool:
    """Reset a connection, for the server that holds it as well; return True."""
    with suppress(OSError):
        copy.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    with suppress(OSError):
        copy.shutdown(socket.SHUT_RDWR)
    return True
