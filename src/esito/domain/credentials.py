"""Keys and passwords: API keys, administrators and their keys, and what the installation's secret protects.

A store never holds a key or a password as it is: keys are kept as a keyed hash, passwords of links sealed. Whoever has
the store but not the secret can read neither.
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass

from esito.domain.timing import MINUTE_MS


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """What is known of an account's key: never the key itself."""

    id: int
    account_id: int
    label: str
    created_at: int
    disabled: bool
    networks: tuple[str, ...] = ()
    """Networks it may be used from, such as 192.0.2.0/24; empty: everywhere."""


def new_api_key() -> str:
    """Return a new key of 160 random bits; hexadecimal, so that it never needs escaping in a URL."""
    return secrets.token_hex(20)


def key_digest(key: str, secret: bytes) -> bytes:
    """Return the keyed hash (HMAC-SHA-256) under which a key is kept and looked up.

    Raises ValueError without a secret: whoever reads the database could compute such a hash.
    """
    if not secret:
        raise ValueError("the hash of a key needs a secret")
    return hmac.digest(secret, key.encode("utf-8", "surrogatepass"), "sha256")


# -- administrators: who may see the installation's links, receipts and metrics ------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Administrator:
    """Somebody with a key to the installation, which is kept as the keys of accounts are."""

    id: int
    name: str
    created_at: int
    disabled: bool
    networks: tuple[str, ...] = ()
    """Networks the key may be used from, such as 192.0.2.0/24; empty: everywhere."""

    @property
    def actor(self) -> str:
        """The administrator's name in the audit log."""
        return f"admin:{self.name}"


def monitor_pass(secret: bytes, at: int) -> str:
    """Return a pass for the monitoring pages at this instant, made from the installation's secret.

    With it commands on the server's machine can see the status of links without a key.
    """
    return hmac.digest(secret, b"monitor %d" % (at // MINUTE_MS), "sha256").hex()


def is_monitor_pass(given: str, secret: bytes, at: int) -> bool:
    """Tell whether this is a valid pass: it lasts for one to two minutes."""
    known = [monitor_pass(secret, at + minutes * MINUTE_MS).encode() for minutes in (-1, 0, 1)]
    return any(hmac.compare_digest(given.encode("utf-8", "surrogatepass"), one) for one in known)


# -- sealing: encrypt, then authenticate ---------------------------------------------------------
# The text is XORed with SHAKE-256 of a key and a fresh nonce; HMAC-SHA-256 under another key proves that nobody has
# changed it. Both keys come from the secret. The length of a text shows in steps only.

NONCE = 24
PROOF = 32
STEP = 80
"""Octets to whose multiples a text is padded."""


def seal(text: str, secret: bytes) -> str:
    """Return a text encrypted so that only the same secret opens it; every call returns another one."""
    octets = text.encode()
    octets += b"\x80" + bytes(-(len(octets) + 1) % STEP)
    nonce = secrets.token_bytes(NONCE)
    hidden = _mixed(octets, nonce, secret)
    return base64.b64encode(nonce + hidden + _proof(nonce + hidden, secret)).decode()


def unseal(sealed: str, secret: bytes) -> str:
    """Return what was sealed. Raises ValueError for another secret, or what was never sealed."""
    content = base64.b64decode(sealed, validate=True)
    body, proof = content[:-PROOF], content[-PROOF:]
    if not hmac.compare_digest(proof, _proof(body, secret)):
        raise ValueError("sealed with another secret, or changed since")
    octets = _mixed(body[NONCE:], body[:NONCE], secret)
    return octets[: octets.rindex(b"\x80")].decode()


def _mixed(octets: bytes, nonce: bytes, secret: bytes) -> bytes:
    key = hmac.digest(secret, b"esito: sealing", "sha256")
    stream = hashlib.shake_256(key + nonce).digest(len(octets))
    return bytes(one ^ other for one, other in zip(octets, stream, strict=True))


def _proof(body: bytes, secret: bytes) -> bytes:
    key = hmac.digest(secret, b"esito: proving what is sealed", "sha256")
    return hmac.digest(key, body, "sha256")
