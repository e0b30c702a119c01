"""Files with numbers, texts or keys in them: made for their owner alone, and never through a link.

That holds whatever the umask of who starts us, and whatever somebody has put in their place before.
"""

import os
import stat
from pathlib import Path
from typing import BinaryIO

MODE = 0o600
FOLDER_MODE = 0o700


def open_private(path: Path, flags: int) -> int:
    """Open a file, made if it is missing; return its descriptor. Raises OSError, ELOOP for a link.

    What stands in /dev itself is a device, or a link to a file that we have open; below it anybody may make links.
    """
    is_device = os.path.realpath(path.parent) in ("/dev", f"/proc/{os.getpid()}/fd")
    return os.open(path, flags | os.O_CREAT | os.O_CLOEXEC | (0 if is_device else os.O_NOFOLLOW), MODE)


def new_private(path: Path) -> BinaryIO:
    """Make a file in place of whatever has this name, a link too, and open it for writing. Raises OSError."""
    path.unlink(missing_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE), "wb")


def make_private(path: Path) -> None:
    """Make an empty file unless there is one, where a link leads too; SQLite opens it, and goes by its mode.

    One that exists is not even opened: to close it would end the locks of whoever in this process has it open.
    Raises OSError.
    """
    real = path.resolve()
    if not real.exists():
        try:
            os.close(os.open(real, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE))
        except FileExistsError:
            return


def make_folder(path: Path) -> None:
    """Make a folder that only its owner enters, unless there is one; those above it as usual. Raises OSError."""
    path.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)


def is_open_to_others(path: Path) -> bool:
    """Tell whether others than the owner may read or write a file."""
    return bool(stat.S_IMODE(path.stat().st_mode) & (stat.S_IRWXG | stat.S_IRWXO))
