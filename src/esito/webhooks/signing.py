"""The Standard Webhooks signature, which any library of that scheme verifies.

A module of its own, so that `esito listen` verifies signatures without loading what sends callbacks.
"""

import base64
import binascii
import hmac

PREFIX = "whsec_"
"""Marks a secret in base64; any other secret is used as it is."""


def key_of(secret: str) -> bytes:
    """Return the octets of a secret. A `whsec_` secret that is not base64 is used as it is."""
    if secret.startswith(PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
        except binascii.Error:
            pass
    return secret.encode("utf-8", "surrogatepass")


def sign(secret: str, webhook_id: str, timestamp: int, body: bytes) -> str:
    """Return `webhook-signature`: version 1, HMAC-SHA-256 over id, timestamp in seconds, and body."""
    signed = f"{webhook_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key_of(secret), signed, "sha256")).decode("ascii")


_LONGEST_TIMESTAMP = 20
"""Digits; Python refuses to parse a number of some thousand digits."""


def is_signed(secret: str, webhook_id: str, timestamp: str, body: bytes, signatures: str) -> bool:
    """Whether one signature of a `webhook-signature` header is right; compared in constant time."""
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= _LONGEST_TIMESTAMP):
        return False
    wanted = sign(secret, webhook_id, int(timestamp), body).encode()
    return any(hmac.compare_digest(one.encode(), wanted) for one in signatures.split())
