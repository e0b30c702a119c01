"""What it takes to connect and bind to an SMSC: its settings, its hosts, the bind request."""

import asyncio
import ssl
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

from esito.domain.retrying import RetryTable
from esito.smpp.pdu import Bind, BindReceiver, BindTransceiver, BindTransmitter

P = TypeVar("P", bound=asyncio.BaseProtocol)

BINDS = {"transmitter": BindTransmitter, "receiver": BindReceiver, "transceiver": BindTransceiver}


@dataclass(frozen=True, slots=True, kw_only=True)
class SmppSettings:
    """Where an SMSC is, who we are there, and how to behave; times are seconds."""

    name: str
    host: str
    port: int
    system_id: str
    password: str = field(repr=False)
    system_type: str = ""
    interface_version: int = 0x34
    addr_ton: int = 0
    addr_npi: int = 0
    address_range: str = ""
    fallback_hosts: tuple[tuple[str, int], ...] = ()
    """Further hosts and ports of the same SMSC."""
    tls_name: str | None = None
    """The name the certificate must have, also sent as SNI; None: the host."""
    bind: str = "transceiver"
    sessions: int = 1
    window: int = 100
    throughput: float = 0.0
    tls: ssl.SSLContext | None = None
    enquire_interval: float = 30.0
    response_timeout: float = 60.0
    bind_timeout: float = 30.0
    rebind_min: float = 1.0
    rebind_max: float = 60.0
    rebind_refused_max: float = 300.0
    stop_patience: float = 25.0
    retries: RetryTable = field(default_factory=RetryTable)
    max_unanswered_receipts: int = 4000

    @property
    def receives(self) -> bool:
        """Whether it binds for receiving."""
        return self.bind != "transmitter"

    @property
    def hosts(self) -> tuple[tuple[str, int], ...]:
        """Every host and port of the SMSC, in the order in which they are tried."""
        return ((self.host, self.port), *self.fallback_hosts)


def bind_request(settings: SmppSettings, kind: str, sequence: int) -> Bind:
    """Return the bind PDU for a transmitter, receiver or transceiver."""
    return BINDS[kind](
        sequence=sequence,
        system_id=settings.system_id,
        password=settings.password,
        system_type=settings.system_type,
        interface_version=settings.interface_version,
        addr_ton=settings.addr_ton,
        addr_npi=settings.addr_npi,
        address_range=settings.address_range,
    )


class SmscUnreachable(OSError):
    """No host of the SMSC accepts a connection."""


class HostRotation:
    """The hosts of one SMSC, tried in turn; the first one is preferred.

    Every session has a rotation of its own, so sessions of one link may be at different hosts.
    """

    def __init__(self) -> None:
        self._next = 0
        self.host = ""
        """Where it is connected, or was last, as `host:port`."""

    async def connect(self, settings: SmppSettings, make: Callable[[], P]) -> P:
        """Connect to the next host that accepts; return the protocol made by `make`. Raises SmscUnreachable."""
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
            raise SmscUnreachable(failures[0][1])
        raise SmscUnreachable("; ".join(f"{host}: {why}" for host, why in failures))

    def disconnected(self, *, was_stable: bool) -> None:
        """Choose the next host: the first one after a stable connection, else the one after this."""
        self._next = 0 if was_stable else self._next + 1


async def _connect(settings: SmppSettings, host: str, port: int, make: Callable[[], P]) -> P:
    name = settings.tls_name if settings.tls is not None else None
    async with asyncio.timeout(settings.bind_timeout):
        _, protocol = await asyncio.get_running_loop().create_connection(
            make, host, port, ssl=settings.tls, server_hostname=name
        )
        return protocol


def abort(transport: asyncio.WriteTransport | None) -> None:
    """Drop a connection at once; do nothing if it is gone."""
    if transport is not None:
        with suppress(AttributeError):  # raised by Python 3.11.2 for a TLS transport that was closed twice
            transport.abort()
