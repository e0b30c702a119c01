"""A server that may lose what it has acknowledged is refused, whichever of its settings says so."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import pytest

from esito.domain.errors import UnsafeEngine
from esito.store.postgres import PostgresStore
from esito_cluster.process import free_port
from tests.kit.needs import needs
from tests.kit.patience import PATIENCE
from tests.kit.postgres import USER, binaries, drop_database, fresh_database

pytestmark = [pytest.mark.anyio, needs("postgres")]


@contextmanager
def own_server(setting: str) -> Iterator[str]:
    """Run a small server with one setting changed; yield the URL of an empty database."""
    programs = binaries()
    assert programs is not None
    folder, port = Path(tempfile.mkdtemp(prefix="esito-unsafe-")), free_port()
    as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    if as_user:
        shutil.chown(folder, "postgres")

    def run(*words: object) -> None:
        subprocess.run([*as_user, *map(str, words)], check=True, capture_output=True, cwd=folder, timeout=PATIENCE)

    try:
        run(programs / "initdb", "-D", folder / "data", "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
        options = f"-p {port} -h 127.0.0.1 -k {folder} -c {setting}"
        run(programs / "pg_ctl", "-D", folder / "data", "-l", folder / "log", "-o", options, "-w", "start")
        try:
            yield f"postgresql://{USER}@127.0.0.1:{port}/postgres"
        finally:
            run(programs / "pg_ctl", "-D", folder / "data", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


async def _is_refused_unless_allowed(url: str, name: str) -> None:
    with pytest.raises(UnsafeEngine, match=f"{name} = off"):
        await PostgresStore(url).open()
    allowed = PostgresStore(url, allow_unsafe=True)
    await allowed.open()
    await allowed.close()


@pytest.mark.parametrize("name", ["fsync", "full_page_writes"])
async def test_a_server_that_does_not_keep_what_it_writes_is_refused(name: str) -> None:
    with own_server(f"{name}=off") as url:
        await _is_refused_unless_allowed(url, name)


async def test_a_database_that_answers_before_it_has_written_is_refused() -> None:
    url = await fresh_database()
    try:
        connection = await asyncpg.connect(url)
        await connection.execute(f"ALTER DATABASE {url.rpartition('/')[2]} SET synchronous_commit = off")
        await connection.close()
        await _is_refused_unless_allowed(url, "synchronous_commit")
    finally:
        await drop_database(url)
