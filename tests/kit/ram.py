"""Where tests, and servers that many of them share, keep their files: in memory, where there is room.

Syncing is most of what they would do on a disk. Processes are killed, never cut from their power; what a power cut does
is tested on disks of its own.
"""

import os
import shutil
import tempfile
from pathlib import Path

IN_MEMORY = Path("/dev/shm")
ROOM = 6 << 30
"""Octets that must be free."""


def place() -> Path:
    """Return the folder below which files are kept."""
    there = IN_MEMORY.is_dir() and os.access(IN_MEMORY, os.W_OK) and shutil.disk_usage(IN_MEMORY).free >= ROOM
    return IN_MEMORY if there else Path(tempfile.gettempdir())


def a_folder(prefix: str) -> Path:
    """Make a folder that only we may enter."""
    return Path(tempfile.mkdtemp(prefix=prefix, dir=place()))
