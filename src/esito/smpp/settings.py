"""What a link needs to know: where its SMSC is, who we are there, and how to behave."""

import ssl
from dataclasses import dataclass, field

from esito.domain.retrying import RetryTable


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkSettings:
    """How to reach an SMSC and how to behave there; times are seconds."""

    name: str
    host: str
    port: int
    system_id: str
    password: str = field(repr=False)
    system_type: str = ""
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
