"""Files with numbers, texts or keys: readable by their owner alone, and never created through a symbolic link.

This holds for any umask, and whatever else has their name already.
"""

import os
import stat
from pathlib import Path
from typing import BinaryIO

MODE = 0o600
FOLDER_MODE = 0o700


def open_private(path: Path, flags: int) -> int:
    """Open a file, creating it if missing; return its descriptor. Raises OSError, with ELOOP for a symbolic link.

    Links in /dev itself are allowed: they lead to devices and to our own open files. Below it anybody may create links.
    """
    is_device = os.path.realpath(path.parent) in ("/dev", f"/proc/{os.getpid()}/fd")
    return os.open(path, flags | os.O_CREAT | os.O_CLOEXEC | (0 if is_device else os.O_NOFOLLOW), MODE)


def new_private(path: Path) -> BinaryIO:
    """Replace whatever has this name, also a link, by a new file open for writing. Raises OSError."""
    path.unlink(missing_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE), "wb")


def make_private(path: Path) -> None:
    """Create an empty file unless it exists, following links; SQLite then opens it and copies its mode.

    An existing file is not even opened: closing it would drop the locks that this process holds on it.
    Raises OSError.
    """
    real = path.resolve()
    if not real.exists():
        try:
            os.close(os.open(real, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE))
        except FileExistsError:
            return


def make_folder(path: Path) -> None:
    """Create a folder for its owner alone, unless it exists; parents get the usual mode. Raises OSError."""
    path.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)


def is_open_to_others(path: Path) -> bool:
    """Whether others than the owner may read or write a file."""
    return bool(stat.S_IMODE(path.stat().st_mode) & (stat.S_IRWXG | stat.S_IRWXO))
