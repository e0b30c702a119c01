"""Clocks of the connections to the API: who says nothing, or does not read what is said, is left.

The web server has a clock for headers, and none for what comes before them or after. So the sockets themselves are
looked at, as the kernel counts what passes through them (`tcp_info` of tcp(7)): whatever server holds a connection, and
whether it is encrypted or not, it has a clock from its first moment, and an address has a bound.
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
"""Seconds after which it is seen how many have come since the last look: when one address may have too many, the next
is at once. A connection costs memory from its first octet on, and two thousand come within a second."""

FOLDER = "/proc/self/fd"

_INFO = struct.Struct("=8x 4I I 4I 15I QQQQ III")
"""struct tcp_info of Linux, from its beginning to `tcpi_notsent_bytes`."""
_UNACKED, _LAST_SENT, _LAST_RECEIVED, _BYTES_ACKED, _NOT_SENT = 4, 9, 11, 26, 30

_RESET = struct.pack("ii", 1, 0)
"""SO_LINGER: what is not sent is thrown away with the connection."""

Peer = tuple[str, int]
"""Address and port of the other end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long a connection is kept, seconds."""

    first_request: float = 15.0
    """From its first moment to the end of its first request, a handshake included."""
    between_requests: float = 75.0
    """Without an octet in either direction."""
    unread: float = 30.0
    """While what we wrote is not read."""


class Passed(NamedTuple):
    """What the kernel has counted of a connection."""

    outstanding: int
    """Octets that we wrote and the other end has not acknowledged, in part: any number above 0 if there are some."""
    acknowledged: int
    """Octets that it has acknowledged in all."""
    silent_s: float
    """Since the last octet in either direction."""


def passed(connection: socket.socket) -> Passed:
    """Return what has passed. Raises OSError."""
    told = _INFO.unpack_from(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO.size).ljust(_INFO.size))
    silent_ms = min(told[_LAST_SENT], told[_LAST_RECEIVED])
    return Passed(told[_UNACKED] + told[_NOT_SENT], told[_BYTES_ACKED], silent_ms / 1000)


class _Connection:
    """One connection, as it was seen since its first moment."""

    __slots__ = ("acknowledged", "began", "customer", "left", "peer", "progressed", "served")

    def __init__(self, peer: Peer, customer: str, now: float) -> None:
        self.peer = peer
        self.customer = customer
        """Under which name it counts; empty: it does not."""
        self.began = now
        self.served = False
        self.left = False
        self.acknowledged = 0
        self.progressed = now

    def fault(self, now: float, so_far: Passed, patience: Patience) -> str:
        """Return why it is to be left; empty: it is not."""
        if so_far.acknowledged != self.acknowledged or not so_far.outstanding:
            self.acknowledged, self.progressed = so_far.acknowledged, now
        if not self.served and now - self.began > patience.first_request:
            return "no request"
        if now - self.progressed > patience.unread:
            return "an answer is not read"
        if not so_far.outstanding and so_far.silent_s > patience.between_requests:
            return "idle"
        return ""


class ConnectionClocks:
    """Leaves connections to one port of ours that last too long, and those of an address that has too many."""

    def __init__(
        self,
        port: int,
        *,
        per_address: int,
        proxies: Sequence[Network] = (),
        patience: Patience | None = None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        """`per_address`: connections that one address may have, but for `proxies`; 0: any number."""
        self._port = port
        self._per_address = per_address
        self._proxies = tuple(proxies)
        self._patience = patience or Patience()
        self._now = now
        self._known: dict[int, _Connection] = {}
        self._requests: set[Peer] = set()

    def requested(self, peer: tuple[str, int | str]) -> None:
        """Note that somebody made a request; whoever serves requests calls it."""
        self._requests.add((peer[0], int(peer[1])))  # the web server writes the port as text

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await self._until_next_look()
            try:
                left = await asyncio.to_thread(self.look)
            except OSError as error:  # no descriptor is free for a moment
                log.warning("connections_not_looked_at", reason=str(error))
                continue
            for why, count in left.items():
                log.info("connections_left", reason=why, count=count)

    async def _until_next_look(self) -> None:
        before = _lowest_free()
        for _ in range(round(LOOK_EVERY / COUNT_EVERY)):
            await asyncio.sleep(COUNT_EVERY)
            if self._per_address and _lowest_free() > before + self._per_address:
                return

    def look(self) -> dict[str, int]:
        """Look at every connection once; return how many were left, by reason."""
        requests, self._requests = self._requests, set()
        now, still, left = self._now(), {}, defaultdict[str, int](int)
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
                if known.left:
                    continue
                if fault := self._fault(known, copy, now):
                    known.left = _leave(copy)
                    left[fault] += 1
                elif known.customer:
                    of_address[known.customer].append((known.began, inode, copy))
            for connections in of_address.values():
                for _, inode, copy in sorted(connections, key=lambda one: one[:2])[self._per_address :]:
                    still[inode].left = _leave(copy)
                    left["too many of an address"] += 1
        finally:
            for copy in held:
                copy.close()
        self._known = still
        return dict(left)

    def _met(self, copy: socket.socket, now: float) -> _Connection | None:
        """Return a connection that was not seen before; None for a socket that is none of ours."""
        try:
            if copy.type != socket.SOCK_STREAM or copy.getsockname()[1] != self._port:
                return None
            host, port = copy.getpeername()[:2]
        except (OSError, IndexError, TypeError, ValueError):  # not connected, or of another family
            return None
        return _Connection((host, port), self._counted(host), now)

    def _fault(self, known: _Connection, copy: socket.socket, now: float) -> str:
        try:
            return known.fault(now, passed(copy), self._patience)
        except OSError:  # it has just ended
            return ""

    def _counted(self, host: str) -> str:
        """Return under which name a connection from there counts; empty: it does not."""
        address = read_address(host)
        if not self._per_address or address is None:
            return ""
        if any(address.version == one.version and address in one for one in self._proxies):
            return ""
        return customer(address)


def _lowest_free() -> int:
    """Return the number that the next descriptor gets: as many are open, or more, where those of before still are."""
    try:
        number = os.eventfd(0)
    except OSError:  # none is free
        return sys.maxsize
    os.close(number)
    return number


def _sockets() -> Iterator[tuple[int, socket.socket]]:
    """Yield the sockets of this process, each as a copy to be closed, with the number that the kernel knows it by.

    One may come twice: its copy has the number of a descriptor that was closed since they were listed.
    """
    for name in os.listdir(FOLDER):  # noqa: PTH208  thousands: names are enough
        try:
            if not S_ISSOCK(os.fstat(int(name)).st_mode):
                continue
            number = os.dup(int(name))
        except OSError:  # it was closed in between
            continue
        told = os.fstat(number)
        # A file may have its number by now. Its copy stays open: who closes any of a database gives up all locks on it.
        if not S_ISSOCK(told.st_mode):
            continue
        try:
            yield told.st_ino, socket.socket(fileno=number)
        except OSError:  # of a kind that is not known here
            os.close(number)


def _leave(copy: socket.socket) -> bool:
    """End a connection for whoever holds it; what it still has to read is thrown away. Return True: it is left."""
    with suppress(OSError):
        copy.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    with suppress(OSError):
        copy.shutdown(socket.SHUT_RDWR)
    return True
