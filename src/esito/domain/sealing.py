"""Passwords as they are kept in a store: whoever has the store and not the secret of the installation reads none.

Encrypted, then authenticated: SHAKE-256 under a key and a fresh nonce makes what the text is mixed with, HMAC-SHA-256
under another key proves that nobody has changed it. Both keys come from the secret. Length shows in steps only.
"""

import base64
import hashlib
import hmac
import secrets

NONCE = 24
PROOF = 32
STEP = 80
"""Octets to whose multiples a text is filled up."""


def seal(text: str, secret: bytes) -> str:
    """Return a text that only the same secret opens; each time another one."""
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
