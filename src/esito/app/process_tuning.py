"""Settings of the interpreter and of the process, made once before the server starts."""

import gc
import resource
import sys
from asyncio import selector_events
from typing import Any

SWITCH_INTERVAL = 0.0005
"""Seconds a thread may keep the interpreter while another waits: by default 5 ms, for which the writer thread
would stall the event loop, and the loop the writer."""

COLLECT_AFTER = 20_000
"""New objects before the garbage collector looks for cycles: requests and receipts leave few."""

READ_AT_ONCE = 64 * 1024
"""Octets that are read at once from a socket."""


def tune_process() -> None:
    """Let threads take turns often, and allow as many file descriptors as the system does.

    The usual limit of 1,024 descriptors is used up by a thousand slow clients.
    """
    sys.setswitchinterval(SWITCH_INTERVAL)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def tune_garbage_collector() -> None:
    """Collect rarely, and never look again at the objects that exist now: those of the application itself."""
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)


def read_less_at_once() -> None:
    """Let every event loop of this process read `READ_AT_ONCE` octets, not 256 KiB, at a time.

    Python allocates what it might read and gives back what did not come, so a few octets of every read stay at the
    front of a quarter of a megabyte. The memory behind them is fragmented, and what a flood took is never returned.
    Does nothing on a Python without this limit.
    """
    transport: Any = getattr(selector_events, "_SelectorTransport", None)
    if hasattr(transport, "max_size"):
        transport.max_size = READ_AT_ONCE
