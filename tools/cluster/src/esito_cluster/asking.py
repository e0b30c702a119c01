"""Asking a server about itself, over HTTP and in JSON."""

import asyncio
import json
import urllib.request
from typing import Any


async def ask(url: str, *, within: float = 2.0) -> dict[str, Any]:
    """Return what a server of ours says of itself; empty while it does not answer, or answers no."""
    return await asyncio.to_thread(_ask, url, within)


def _ask(url: str, within: float) -> dict[str, Any]:
    try:
        with urllib.request.urlopen(url, timeout=within) as answer:  # noqa: S310 (an address of our own making)
            told: dict[str, Any] = json.load(answer)
            return told
    except (OSError, ValueError):
        return {}
