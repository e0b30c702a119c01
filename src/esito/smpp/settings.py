"""What a link needs to know: where its SMSC is, who we are there, and how to behave."""

import ssl
from dataclasses import dataclass, field

from esito.domain.retrying import RetryTable
from esito.smpp.pdu import Bind, BindReceiver, BindTransceiver, BindTransmitter

BINDS = {"transmitter": BindTransmitter, "receiver": BindReceiver, "transceiver": BindTransceiver}


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkSettings:
    """How to reach an SMSC and how to behave there; times are seconds."""

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
    """What the certificate must be for, and SNI; None: the host."""
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
        """Whether receipts and replies are to come by it."""
        return self.bind != "transmitter"

    @property
    def hosts(self) -> tuple[tuple[str, int], ...]:
        """Every host and port of the SMSC, in the order in which they are tried."""
        return ((self.host, self.port), *self.fallback_hosts)


def bind_request(settings: LinkSettings, kind: str, sequence: int) -> Bind:
    """Return the PDU that asks to be bound as a kind."""
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
