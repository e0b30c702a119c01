"""The origin of a URL, by which callbacks are sorted: scheme, host and port."""

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
