"""A run of the tests leaves no process behind: what they share ends with it, and whatever survives is named.

Every process that is begun by a run carries its name in the environment, and so do those that it begins.
"""

import atexit
import os
from collections.abc import Callable
from pathlib import Path

NAME = "TESTS_BEGUN_BY"
"""Of the variable. Tests hide variables that begin with ESITO_ from what they run."""

_endings: list[Callable[[], None]] = []


def at_end(ending: Callable[[], None]) -> None:
    """Have this called once when the run ends, the last that was said first."""
    _endings.append(ending)


@atexit.register
def end_all() -> None:
    """End what was begun for the whole run."""
    while _endings:
        _endings.pop()()


def begin() -> None:
    """Have every process that is begun from now on carry our number."""
    os.environ[NAME] = str(os.getpid())


def left_over() -> list[str]:
    """Return the processes that this run began and that are still there; an empty list where there is no /proc."""
    return sorted(_described(process) for process in Path("/proc").glob("[0-9]*") if _is_ours(process))


def _is_ours(process: Path) -> bool:
    if int(process.name) == os.getpid():
        return False
    try:
        if f"{NAME}={os.getpid()}".encode() not in (process / "environ").read_bytes().split(b"\0"):
            return False
        # Python's own helpers end when we do, and the ended are nobody's any more.
        helper = b"multiprocessing." in (process / "cmdline").read_bytes() and _parent(process) == os.getpid()
        return not helper and _status(process, "State")[0] != "Z"
    except (OSError, IndexError):
        return False  # it has just ended, or is another user's


def _parent(process: Path) -> int:
    return int(_status(process, "PPid")[0])


def _status(process: Path, name: str) -> list[str]:
    lines = (process / "status").read_text(encoding="utf-8").splitlines()
    return next(line.split()[1:] for line in lines if line.startswith(f"{name}:"))


def _described(process: Path) -> str:
    try:
        words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        words = "which has just ended"
    return f"{process.name}: {words[:300]}"
