"""The programs that come with PostgreSQL: where they are, as whom they run, and running one to its end."""

import asyncio
import os
import re
import shutil
from pathlib import Path

from esito_cluster.process import Process, ProcessFailed

OLDEST = 15
"""Standbys follow a new primary without a restart, and pg_rewind recovers by itself, well before this release."""

USER = "postgres"
"""Who runs the server when we are root: it refuses to run as root itself."""

_WHERE_DEBIAN_PUTS_THEM = Path("/usr/lib/postgresql")


class PostgresMissing(Exception):
    """PostgreSQL 15 or later is not installed: `apt-get install postgresql`, or put its pg_config into PATH."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


async def find_programs() -> Path:
    """Return the folder of the newest server's programs. Raises PostgresMissing."""
    found = _of_debian()
    if found and max(found) >= OLDEST:
        return found[max(found)]
    if asked := shutil.which("pg_config"):
        return await _named_by(asked)
    raise PostgresMissing


def _of_debian() -> dict[int, Path]:
    return {int(path.parts[-3]): path.parent for path in _WHERE_DEBIAN_PUTS_THEM.glob("[0-9]*/bin/initdb")}


async def _named_by(pg_config: str) -> Path:
    asked = await asyncio.create_subprocess_exec(
        pg_config, "--bindir", "--version", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    folder, _, version = (await asked.communicate())[0].decode().partition("\n")
    release = re.search(r"\d+", version)
    if release is None or int(release[0]) < OLDEST or not (Path(folder) / "initdb").exists():
        raise PostgresMissing
    return Path(folder)


async def run(program: Path, *words: object, log: Path) -> None:
    """Run a program to its end; what it says goes to the log. Raises ProcessFailed."""
    process = Process(program.name, [program, *map(str, words)], log=log, user=USER)
    await process.start()
    try:
        code = await process.wait()
    finally:
        await process.kill()
    if code:
        raise ProcessFailed(f"{program.name} ended with {code}: {_last_lines(log)}")


def _last_lines(log: Path, count: int = 4) -> str:
    return " / ".join(log.read_text(errors="replace").splitlines()[-count:])


def give_away(folder: Path) -> None:
    """Make a folder that only the server's user may enter."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.geteuid() == 0:
        shutil.chown(folder, USER, USER)
