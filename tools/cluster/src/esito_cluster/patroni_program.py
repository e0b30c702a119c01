"""Where Patroni is: it must be one that the user who runs PostgreSQL may run."""

import asyncio
import os
import pwd
import re
import shutil
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from esito_cluster.postgres_programs import USER

OLDEST = 4
"""The first release with quorum commit (`synchronous_mode: quorum`); one before takes the word for no."""

FOR_ROOT = f"As root, have it in PATH, in a folder such as /opt that the user `{USER}`, who will run it, may read."


class PatroniMissing(Exception):
    """Patroni 4 or later is not installed: `pip install 'esito[cluster]'` brings it."""

    def __init__(self) -> None:
        super().__init__(self.__doc__ if os.geteuid() else f"{self.__doc__} {FOR_ROOT}")


async def find_patroni(folders: Iterable[Path] | None = None) -> Path:
    """Return the program, looked for beside this Python and in PATH, or in these folders. Raises PatroniMissing."""
    for program in _candidates(_usual_folders() if folders is None else folders):
        if await _release(program) >= OLDEST:
            return program
    raise PatroniMissing


def _usual_folders() -> list[Path]:
    return [Path(sys.executable).parent, *map(Path, os.get_exec_path())]


def _candidates(folders: Iterable[Path]) -> Iterator[Path]:
    yield from dict.fromkeys(Path(found) for folder in folders if (found := shutil.which("patroni", path=folder)))


async def _release(program: Path) -> int:
    identity = pwd.getpwnam(USER) if os.geteuid() == 0 else None
    try:
        asked = await asyncio.create_subprocess_exec(
            program,
            "--version",
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            cwd="/",
            user=None if identity is None else identity.pw_uid,
            group=None if identity is None else identity.pw_gid,
            extra_groups=None if identity is None else [],
        )
    except OSError:  # the program, or its interpreter, is out of the user's reach
        return 0
    said = re.search(r"patroni (\d+)", (await asked.communicate())[0].decode())
    return int(said[1]) if said else 0
