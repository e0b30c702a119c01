"""Where servers that many tests share keep their files: in memory, where there is room.

Syncing is most of what they would do on a disk. They are killed, never cut from their power; what a power cut does is
tested elsewhere, on a disk.
"""

import os
import shutil
import tempfile
from pathlib import Path

IN_MEMORY = Path("/dev/shm")
ROOM = 6 << 30
"""Octets that must be free."""


def a_folder(prefix: str) -> Path:
    """Make a folder that only we may enter."""
    there = IN_MEMORY.is_dir() and os.access(IN_MEMORY, os.W_OK) and shutil.disk_usage(IN_MEMORY).free >= ROOM
    return Path(tempfile.mkdtemp(prefix=prefix, dir=IN_MEMORY if there else None))
