"""Who may look at what belongs to the installation: its links, its operators' receipts, its metrics."""

import hmac
from dataclasses import dataclass

from esito.domain.timing import MINUTE_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class Administrator:
    """Somebody with a key to the installation, which is kept as the keys of accounts are (`account.key_digest`)."""

    id: int
    name: str
    created_at: int
    disabled: bool
    networks: tuple[str, ...] = ()
    """From where the key may be used, such as 192.0.2.0/24; empty: from everywhere."""

    @property
    def actor(self) -> str:
        """How the audit log names who acted."""
        return f"admin:{self.name}"


def monitor_pass(secret: bytes, at: int) -> str:
    """Return what opens the monitors' pages at this instant, for whoever has the installation's secret.

    So commands on the server's machine see how its links stand, though none of them has a key.
    """
    return hmac.digest(secret, b"monitor %d" % (at // MINUTE_MS), "sha256").hex()


def is_monitor_pass(given: str, secret: bytes, at: int) -> bool:
    """Tell whether this opens the monitors' pages: for one to two minutes from when it was made."""
    known = [monitor_pass(secret, at + minutes * MINUTE_MS).encode() for minutes in (-1, 0, 1)]
    return any(hmac.compare_digest(given.encode("utf-8", "surrogatepass"), one) for one in known)
