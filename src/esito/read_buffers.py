"""How much memory the event loop takes before it reads from a socket."""

from asyncio import selector_events
from typing import Any

AT_ONCE = 64 * 1024
"""Octets that are read at once from a socket."""


def read_less_at_once() -> None:
    """Let every event loop of this process read `AT_ONCE` octets, not 256 KiB, at a time.

    Python takes as much memory as it might read, and gives back what did not come: a few octets of every read stay
    at the front of a quarter of a megabyte, for all sockets of all threads. What lies behind is in pieces then, and
    the memory that a flood took is kept for good. Where Python is without this bound, nothing is done.
    """
    transport: Any = getattr(selector_events, "_SelectorTransport", None)
    if hasattr(transport, "max_size"):
        transport.max_size = AT_ONCE
