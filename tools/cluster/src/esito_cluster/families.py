"""The processes that a process began, whatever became of those in between."""

import os
import signal
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path


def family_of(pid: int) -> list[int]:
    """Return the processes that this one began, and those that they began; without those that have ended."""
    children = defaultdict(list)
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, parent = path.read_text(errors="replace").rpartition(")")[2].split()[:2]
            if state != "Z":
                children[int(parent)].append(int(path.parent.name))
    found = [pid]
    for one in found:  # it grows while we go through it
        found += children[one]
    return found[1:]


def signal_all(pids: Iterable[int], number: signal.Signals) -> None:
    """Send each of them a signal; some may have ended by now."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)
