"""Letting an old primary come back as a standby: what it wrote and nobody confirmed is taken back.

An old primary that is simply started again is a second primary. It gets no commit acknowledged, because the
standbys its quorum names follow another; it is rewound before it is started all the same, since its log may hold
commits that the new primary has never seen.
"""

import shutil
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

from esito.cluster.postgres_programs import run
from esito.cluster.postgres_roles import connect, make_slot, quoted
from esito.cluster.process import ProcessFailed


async def rejoin(
    data: Path,
    *,
    name: str,
    primary: str,
    programs: Path,
    log: Path,
    say: Callable[[str], None] = lambda _: None,
) -> None:
    """Turn the data folder of a server that does not run into that of a standby of `primary`.

    It is rewound; where that cannot be, because the log that tells the difference is gone, it is replaced by
    a new copy. Then start it, and `admit` it to the quorum. Raises ProcessFailed when neither can be done.
    """
    await _prepare(primary, name)
    source = f"{primary}?{urlencode({'application_name': name})}"
    try:
        await run(programs / "pg_rewind", "--target-pgdata", data, "--source-server", source, "-R", log=log)
        _use_slot(data, name)
        say(f"{name} is rewound")
    except ProcessFailed as failure:
        say(f"{name} cannot be rewound, a new copy is made: {failure}")
        await _copy_again(data, name, source, programs=programs, log=log)
        say(f"{name} is a new copy")


async def _prepare(primary: str, name: str) -> None:
    connection = await connect(primary)
    try:
        # pg_rewind reads from the control file which timeline the primary is on; a promotion alone does not write it.
        await connection.execute("CHECKPOINT")
        await make_slot(connection, name)
    finally:
        await connection.close()


def _use_slot(data: Path, name: str) -> None:
    with (data / "postgresql.auto.conf").open("a") as file:
        file.write(f"primary_slot_name = {quoted(name)}\n")


async def _copy_again(data: Path, name: str, source: str, *, programs: Path, log: Path) -> None:
    fresh, old = data.with_name(f"{data.name}.new"), data.with_name(f"{data.name}.old")
    for leftover in (fresh, old):
        shutil.rmtree(leftover, ignore_errors=True)
    how = ["--checkpoint", "fast", "--wal-method", "stream", "--slot", name, "--write-recovery-conf", "--no-password"]
    await run(programs / "pg_basebackup", "--dbname", source, "--pgdata", fresh, *how, log=log)
    _put_in_place(fresh, data, old)


def _put_in_place(fresh: Path, data: Path, old: Path) -> None:
    """Replace a folder; at any time there is one that is whole."""
    data.rename(old)
    fresh.rename(data)
    shutil.rmtree(old)
