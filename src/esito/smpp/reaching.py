"""Reaching an SMSC that has several hosts: whichever answers is as good, and the first is preferred.

Each session looks for itself, so that some may be at one host and some at another.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from esito.smpp.settings import LinkSettings

P = TypeVar("P", bound=asyncio.BaseProtocol)


class Unreachable(OSError):
    """No host of the SMSC can be connected to."""


class Reaching:
    """Where one session looks for its SMSC."""

    def __init__(self) -> None:
        self._next = 0
        self.host = ""
        """Where it is connected, or was last, as `host:port`."""

    async def reach(self, settings: LinkSettings, make: Callable[[], P]) -> P:
        """Connect to the first host that can be had, beginning with the one whose turn it is. Raises Unreachable."""
        hosts = settings.hosts
        failures = []
        for turn in range(self._next, self._next + len(hosts)):
            host, port = hosts[turn % len(hosts)]
            self.host = f"{host}:{port}"
            self._next = turn % len(hosts)
            try:
                return await _connect(settings, host, port, make)
            except (OSError, TimeoutError) as error:
                failures.append((self.host, str(error) or "timeout"))
        self._next = 0
        if len(failures) == 1:
            raise Unreachable(failures[0][1])
        raise Unreachable("; ".join(f"{host}: {why}" for host, why in failures))

    def left(self, *, well: bool) -> None:
        """Note the end of a connection: after a good one the first host is tried again, after a bad one the next."""
        self._next = 0 if well else self._next + 1


async def _connect(settings: LinkSettings, host: str, port: int, make: Callable[[], P]) -> P:
    name = settings.tls_name if settings.tls is not None else None
    async with asyncio.timeout(settings.bind_timeout):
        _, protocol = await asyncio.get_running_loop().create_connection(
            make, host, port, ssl=settings.tls, server_hostname=name
        )
        return protocol


def abort(transport: asyncio.WriteTransport | None) -> None:
    """Drop a connection at once; does nothing when there is none any more."""
    if transport is not None:
        with suppress(AttributeError):  # in Python 3.11.2, of a TLS transport that was closed twice
            transport.abort()
