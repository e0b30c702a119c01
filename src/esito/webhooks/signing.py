"""The Standard Webhooks signature: receivers verify it with any library of that scheme."""

import base64
import binascii
import hmac

PREFIX = "whsec_"
"""Opens a secret that is written in base64; any other secret is taken as it is."""


def key_of(secret: str) -> bytes:
    """Return the octets of a secret. A `whsec_` that is no base64 is taken as it is."""
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
"""Digits; Python reads no number of some thousands, and nobody's clock is there."""


def is_signed(secret: str, webhook_id: str, timestamp: str, body: bytes, signatures: str) -> bool:
    """Tell whether one of the signatures of a `webhook-signature` header fits; compared in constant time."""
    if not (timestamp.isascii() and timestamp.isdecimal() and len(timestamp) <= _LONGEST_TIMESTAMP):
        return False
    wanted = sign(secret, webhook_id, int(timestamp), body).encode()
    return any(hmac.compare_digest(one.encode(), wanted) for one in signatures.split())
