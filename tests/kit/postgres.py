"""One PostgreSQL server for a whole run of the tests, and a fresh database in it for each test that asks.

The server is made when the first test needs it and ends with the run. Where several processes run the tests, each has
its own.
"""

import asyncio
import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from functools import cache
from itertools import count
from pathlib import Path
from typing import Any, TypeVar

import asyncpg

from esito.store.postgres.migrating import migrate
from esito.store.postgres.postgres_connection import SETTINGS
from esito_cluster.process import free_port
from tests.kit.left_over import at_end
from tests.kit.patience import PATIENCE
from tests.kit.ram import a_folder

T = TypeVar("T")

USER = "esito"
TEMPLATE = "as_migrated"
_numbers = count(1)


def binaries() -> Path | None:
    """Return where the newest server's programs are; None when there is none."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if found:
        return found[-1].parent
    beside = shutil.which("initdb")
    return Path(beside).parent if beside else None


@cache
def server() -> str:
    """Start the server, unless it runs; return the URL of its databases, without their name."""
    programs = binaries()
    assert programs is not None, "no PostgreSQL server is installed"
    folder = a_folder("esito-postgres-")
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if as_user:
        shutil.chown(folder, "postgres")
    data, port = folder / "data", free_port()

    def run(*words: object) -> None:
        subprocess.run([*as_user, *map(str, words)], check=True, capture_output=True, cwd=folder)

    run(programs / "initdb", "-D", data, "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
    # A test writes little and commits often; what a power cut does is tested elsewhere, with a server of its own.
    options = f"-p {port} -h 127.0.0.1 -k {folder} -c shared_buffers=32MB -c max_connections=200 -c max_wal_size=4GB"
    options += " -c wal_writer_delay=10s -c bgwriter_delay=10s"
    run(programs / "pg_ctl", "-D", data, "-l", folder / "log", "-o", options, "-w", "start")

    def stop() -> None:
        run(programs / "pg_ctl", "-D", data, "-m", "immediate", "stop")
        shutil.rmtree(folder, ignore_errors=True)

    at_end(stop)
    url = f"postgresql://{USER}@127.0.0.1:{port}"
    asyncio.run(_make_template(url))
    return url


async def _make_template(url: str) -> None:
    await _maintenance(url).do(f"CREATE DATABASE {TEMPLATE}")
    connection = await asyncpg.connect(f"{url}/{TEMPLATE}", server_settings=SETTINGS)
    await migrate(connection)
    await connection.close()
    # The first connection after writes down what each needs to know of the catalogue: copies of the database have it.
    await (await asyncpg.connect(f"{url}/{TEMPLATE}", server_settings=SETTINGS)).close()


class _Maintenance:
    """A connection that lasts as long as the server does, in a loop of its own.

    Each test makes and drops a database, and has another loop; to connect for each is a tenth of the work.
    """

    def __init__(self, url: str) -> None:
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="postgres maintenance", daemon=True).start()
        self._one_by_one = asyncio.Lock()
        self._connection: asyncpg.Connection[Any] = self._begin(asyncpg.connect(f"{url}/postgres")).result(PATIENCE)
        at_end(self._close)

    def _begin(self, doing: Coroutine[Any, Any, T]) -> "Future[T]":
        return asyncio.run_coroutine_threadsafe(doing, self._loop)

    async def do(self, statement: str) -> None:
        """Do as the statement says, whatever loop this is asked in."""
        await asyncio.wrap_future(self._begin(self._do(statement)))

    async def _do(self, statement: str) -> None:
        async with self._one_by_one:
            await self._connection.execute(statement)

    def _close(self) -> None:
        self._begin(self._connection.close()).result(PATIENCE)
        self._loop.call_soon_threadsafe(self._loop.stop)


@cache
def _maintenance(url: str) -> _Maintenance:
    return _Maintenance(url)


async def fresh_database(*, migrated: bool = True) -> str:
    """Make a database with Esito's schema, or an empty one; return its URL."""
    url = await asyncio.to_thread(server)
    name = f"test_{next(_numbers)}"
    template = f" TEMPLATE {TEMPLATE}" if migrated else ""
    await _maintenance(url).do(f"CREATE DATABASE {name}{template} STRATEGY file_copy")
    return f"{url}/{name}"


async def drop_database(url: str) -> None:
    """Remove a database with all its connections."""
    base, _, name = url.rpartition("/")
    await _maintenance(base).do(f"DROP DATABASE {name} WITH (FORCE)")


def reachable_folder(prefix: str) -> Path:
    """Make a folder that the server's own user may enter."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    folder.chmod(0o755)
    return folder
