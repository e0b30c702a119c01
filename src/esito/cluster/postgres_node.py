"""One PostgreSQL server on loopback: made empty or as a copy of another; stopped, paused and killed at will."""

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import asyncpg

from esito.cluster.postgres_programs import USER, give_away, run
from esito.cluster.postgres_roles import admit
from esito.cluster.process import Process, ProcessFailed, free_port
from esito.cluster.rejoin import rejoin

NAME = "esito"
"""The superuser, and the database."""

READY_WITHIN = 60.0

SETTINGS = {
    "wal_level": "replica",
    "hot_standby": "on",
    "synchronous_commit": "on",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "max_wal_size": "1GB",
    # A primary that was killed is rewound from its own log; keep enough of it.
    "wal_keep_size": "256MB",
    # A standby that stays away must not fill the primary's disk.
    "max_slot_wal_keep_size": "1GB",
    "wal_retrieve_retry_interval": "500ms",
    "wal_sender_timeout": "10s",
    "wal_receiver_timeout": "10s",
    "log_line_prefix": "%m [%p] ",
}

ARCHIVE_COMMAND = (
    "cmp -s %p {0}/%f || (test ! -e {0}/%f && cp %p {0}/%f.part && sync {0}/%f.part && mv {0}/%f.part {0}/%f)"
)
"""Succeeds for a file that is there already, as after a crash; overwrites none; a half copy has another name."""


class PostgresNode:
    """A server with its folder and its port, which stay the same over restarts."""

    def __init__(self, name: str, folder: Path, programs: Path) -> None:
        """`programs` is the folder of initdb and the others; `folder` belongs to the server's user."""
        self.name = name
        self.folder = folder
        self.data = folder / "data"
        self.log = folder / "log"
        self.port = free_port()
        self._programs = programs
        # What is this machine's own is said on the command line: the settings in the data folder get copied around.
        mine = [f"port={self.port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={folder}"]
        mine.append(f"cluster_name={name}")
        options = [word for setting in mine for word in ("-c", setting)]
        self._process = Process(name, [programs / "postgres", "-D", self.data, *options], log=self.log, user=USER)

    @property
    def url(self) -> str:
        """The database of this server, whatever its role."""
        return f"postgresql://{NAME}@127.0.0.1:{self.port}/{NAME}"

    @property
    def runs(self) -> bool:
        """Whether its process runs, ready or not."""
        return self._process.runs

    # -- its data -----------------------------------------------------------------------------

    async def create(self, *, archive: Path | None = None) -> None:
        """Make it empty, with the settings of every node. Raises ProcessFailed."""
        give_away(self.folder)
        # What initdb makes can be made again, so it need not wait for the disk.
        how = ["--username", NAME, "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync"]
        await self._run("initdb", "--pgdata", self.data, "--data-checksums", *how)
        settings = SETTINGS | archiving(archive)
        with (self.data / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in settings.items())

    async def copy_from(self, primary: str) -> None:
        """Make it a standby with a copy of what the primary has; its slot must be there. Raises ProcessFailed."""
        give_away(self.folder)
        source = f"{primary}?application_name={self.name}"
        how = ["--checkpoint", "fast", "--wal-method", "stream", "--slot", self.name, "--write-recovery-conf"]
        await self._run("pg_basebackup", "--dbname", source, "--pgdata", self.data, "--no-password", *how)

    async def _run(self, program: str, *words: object) -> None:
        await run(self._programs / program, *words, log=self.log)

    async def rejoin(self, primary: str, say: Callable[[str], None] = lambda _: None) -> None:
        """Follow a primary that took this one's place, and count for its quorum. Raises ProcessFailed, TimeoutError."""
        await self.stop()
        await rejoin(self.data, name=self.name, primary=primary, programs=self._programs, log=self.log, say=say)
        await self.start()
        await admit(primary, self.name)

    # -- its process --------------------------------------------------------------------------

    async def start(self) -> None:
        """Start it and wait until it answers. Raises ProcessFailed."""
        await self._process.start()
        try:
            async with asyncio.timeout(READY_WITHIN):
                while not await self.answers():
                    self._process.pid  # noqa: B018  raises once it has ended
                    await asyncio.sleep(0.05)
        except TimeoutError:
            await self.kill()
            raise ProcessFailed(f"{self.name} does not answer; see {self.log}") from None

    async def answers(self, within: float = 2.0) -> bool:
        """Tell whether it answers a question."""
        try:
            connection = await asyncpg.connect(f"{self.url.rpartition('/')[0]}/postgres", timeout=within)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
            return False
        connection.terminate()
        return True

    async def stop(self) -> None:
        """End it in good order, sessions or not."""
        if self.runs:
            self.send(signal.SIGCONT)
        await self._process.stop(number=signal.SIGINT)

    async def kill(self) -> None:
        """Kill the server process; return when the processes it had started are gone too.

        They notice its death by themselves. Until the last is gone the data folder is in use.
        """
        family = self._family()
        await self._process.kill()
        _each(family, signal.SIGCONT)
        with suppress(TimeoutError):
            async with asyncio.timeout(3):
                while any(map(_is_there, family)):
                    await asyncio.sleep(0.02)
        _each(family, signal.SIGKILL)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to all of its processes: SIGSTOP pauses it, SIGCONT lets it go on."""
        _each([self._process.pid, *self._family()], number)

    def _family(self) -> list[int]:
        if not self.runs:
            return []
        parent = str(self._process.pid)
        found = ((int(path.parent.name), path) for path in Path("/proc").glob("[0-9]*/stat"))
        return [pid for pid, path in found if _parent_in(path) == parent]


def archiving(archive: Path | None) -> dict[str, str]:
    """Return the settings that keep every finished piece of the log in a folder."""
    if archive is None:
        return {}
    return {"archive_mode": "on", "archive_command": ARCHIVE_COMMAND.format(archive)}


def _parent_in(path: Path) -> str:
    with suppress(OSError):
        return path.read_text().rpartition(")")[2].split()[1]
    return ""


def _each(pids: list[int], number: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


def _is_there(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
