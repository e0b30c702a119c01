"""A store that cannot write: its disk is full, or it may only be read. The running server finds it so, in earnest."""

from pathlib import Path
from typing import Any, Protocol

import apsw

from tests.kit.tables import SqliteTables, Tables

FULL, READ_ONLY, OK = "full", "read-only", "ok"

_FAULTS: dict[str, tuple[type[Exception], str]] = {
    FULL: (apsw.FullError, "no space left on device"),
    READ_ONLY: (apsw.IOError, "read-only file system"),
}


class Spoiled(Protocol):
    """What makes a store unfit."""

    control: str
    """What the server's process must be told when it starts; empty: nothing."""

    def make(self, state: str) -> None:
        """Make it `full`, `read-only` or `ok`."""


class SpoiledFile:
    """SQLite: the server writes its file through `FaultyDisk`, which reads a file of ours at every write."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "store.state"
        self.control = str(self._file)

    def make(self, state: str) -> None:
        self._file.write_text(state, encoding="ascii")


class SpoiledDatabase:
    """PostgreSQL. Full: every statement that changes a table fails with the code that a full disk has. Read-only:
    as on a standby, which is what servers meet after a failover."""

    control = ""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables

    def make(self, state: str) -> None:
        tables = self._tables
        tables.rows("SET default_transaction_read_only = off")
        name = tables.rows("SELECT quote_ident(current_database())")[0][0]
        tables.rows("DROP FUNCTION IF EXISTS case_disk_full() CASCADE")
        tables.rows(
            f"ALTER DATABASE {name} SET default_transaction_read_only = {'on' if state == READ_ONLY else 'off'}"
        )
        if state == FULL:
            tables.rows(_FULL_FUNCTION)
            for (table,) in tables.rows("SELECT quote_ident(tablename) FROM pg_tables WHERE schemaname = 'public'"):
                tables.rows(
                    f"CREATE TRIGGER case_disk_full BEFORE INSERT OR UPDATE ON {table}"
                    " EXECUTE FUNCTION case_disk_full()"
                )
        else:
            # Sessions that are there keep the setting they began with.
            tables.rows(
                "SELECT pg_terminate_backend(pid)::text FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


_FULL_FUNCTION = """
CREATE FUNCTION case_disk_full() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = '53100'; END $$"""


def spoiled_at(tables: Tables, folder: Path) -> Spoiled:
    """Return what makes the store with these tables unfit; `folder` is for files."""
    return SpoiledFile(folder) if isinstance(tables, SqliteTables) else SpoiledDatabase(tables)


class FaultyDisk(apsw.VFS):
    """A file system for SQLite that refuses writes while a file says so."""

    def __init__(self, control: Path) -> None:
        self._control = control
        self._beneath = apsw.vfs_names()[0]  # from now on the default is this one
        super().__init__("case", self._beneath, makedefault=True)

    def xOpen(self, name: Any, flags: list[int]) -> "FaultyFile":  # noqa: N802  SQLite's name
        return FaultyFile(self._beneath, self._control, name, flags)


class FaultyFile(apsw.VFSFile):
    """One file of it."""

    def __init__(self, beneath: str, control: Path, name: Any, flags: list[int]) -> None:
        self._control = control
        super().__init__(beneath, name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802  SQLite's name
        if self._control.exists() and (fault := _FAULTS.get(self._control.read_text(encoding="ascii"))):
            kind, why = fault
            raise kind(why)
        super().xWrite(data, offset)
