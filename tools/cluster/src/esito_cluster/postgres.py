"""One PostgreSQL server on loopback, alone: for measurements, and for tests of backups."""

import asyncio
import signal
from pathlib import Path

import asyncpg

from esito_cluster.families import family_of, signal_all
from esito_cluster.postgres_programs import USER, find_programs, give_away, run
from esito_cluster.process import Process, ProcessFailed, free_port

NAME = "esito"
"""The superuser, and the database."""

READY_WITHIN = 60.0

SETTINGS = {"max_connections": "100", "max_wal_size": "1GB", "log_line_prefix": "%m [%p] "}

ARCHIVE_COMMAND = (
    "cmp -s %p {0}/%f || (test ! -e {0}/%f && cp %p {0}/%f.part && sync {0}/%f.part && mv {0}/%f.part {0}/%f)"
)
"""Succeeds for a file that is there already, as after a crash; overwrites none; a half copy has another name."""


class PostgresServer:
    """A server with its folder and its port, which stay the same over restarts."""

    def __init__(self, folder: Path, *, archive: Path | None = None) -> None:
        """`archive`: a folder, made by us, in which every finished piece of the log is kept for later.

        When root runs this, the server's processes run as the user `postgres`, who must be able to reach the folder.
        """
        self.folder = folder.absolute()
        self.data = self.folder / "data"
        self.log = self.folder / "log"
        self.port = free_port()
        self._archive = archive
        self._process: Process | None = None

    @property
    def url(self) -> str:
        """Its database."""
        return f"{self._server}/{NAME}"

    @property
    def _server(self) -> str:
        return f"postgresql://{NAME}@127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Start it, made empty unless there is data, until it answers. Raises ProcessFailed, PostgresMissing."""
        programs = await find_programs()
        is_new = not self.data.exists()
        if is_new:
            await self._create(programs)
        # What is this machine's own is said on the command line: the settings in the data folder get copied around.
        mine = [f"port={self.port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={self.folder}"]
        options = [word for setting in mine for word in ("-c", setting)]
        self._process = Process("postgres", [programs / "postgres", "-D", self.data, *options], log=self.log, user=USER)
        await self._process.start()
        await self._await_answer(self._process)
        if is_new:
            connection = await asyncpg.connect(f"{self._server}/postgres")
            await connection.execute(f"CREATE DATABASE {NAME}")
            await connection.close()

    async def stop(self) -> None:
        """End it in good order, sessions or not."""
        if self._process is not None:
            await self._process.stop(number=signal.SIGINT)

    async def _create(self, programs: Path) -> None:
        for folder in (self.folder, self._archive):
            if folder is not None:
                give_away(folder)
        # What initdb makes can be made again, so it need not wait for the disk.
        how = ["--username", NAME, "--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync"]
        await run(programs / "initdb", "--pgdata", self.data, "--data-checksums", *how, log=self.log)
        with (self.data / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in (SETTINGS | archiving(self._archive)).items())

    async def _await_answer(self, process: Process) -> None:
        try:
            async with asyncio.timeout(READY_WITHIN):
                while not await answers(self._server):
                    process.pid  # noqa: B018  raises once it has ended
                    await asyncio.sleep(0.05)
        except TimeoutError:
            signal_all(family_of(process.pid), signal.SIGKILL)
            await process.kill()
            raise ProcessFailed(f"PostgreSQL does not answer; see {self.log}") from None


def archiving(archive: Path | None) -> dict[str, str]:
    """Return the settings that keep every finished piece of the log in a folder."""
    if archive is None:
        return {}
    return {"archive_mode": "on", "archive_command": ARCHIVE_COMMAND.format(archive)}


async def answers(server: str, within: float = 2.0) -> bool:
    """Tell whether a server answers; `server` is its URL without a database."""
    try:
        connection = await asyncpg.connect(f"{server}/postgres", timeout=within)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return False
    connection.terminate()
    return True
