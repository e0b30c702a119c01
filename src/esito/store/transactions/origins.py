"""What callbacks are sorted by: the origin of a URL (scheme, host and port), and its path, which may be gone."""

import hashlib
from urllib.parse import urlsplit


def origin_of(url: str | None) -> str | None:
    """Return scheme, host and port of a URL that can be called; None for anything else."""
    try:
        pieces = urlsplit(url or "")
        port = pieces.port
    except ValueError:
        return None
    if pieces.scheme not in {"http", "https"} or not pieces.hostname:
        return None
    host = f"[{pieces.hostname}]" if ":" in pieces.hostname else pieces.hostname
    return f"{pieces.scheme}://{host}:{port or (443 if pieces.scheme == 'https' else 80)}"


def address_of(origin: str) -> str:
    """Return the host of an origin, whatever its scheme and port."""
    return origin.partition("://")[2].rpartition(":")[0]


def path_of(url: str) -> str:
    """Return the path of a URL that has an origin, without its query, which may differ from message to message."""
    return urlsplit(url).path or "/"


def digest_of(path: str) -> int:
    """Return 63 bits that stand for a path, however long it is."""
    octets = hashlib.sha256(path.encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(octets[:8], "big") >> 1
