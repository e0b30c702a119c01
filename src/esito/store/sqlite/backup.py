"""Saving a SQLite database while a server works with it."""

import os
from pathlib import Path

import apsw

from esito.domain.errors import StoreUnavailable
from esito.private_files import new_private
from esito.store.sqlite.sqlite_connection import connect


def backup(source: Path, target: Path) -> None:
    """Write a copy of a database as it is now to a file that does not exist yet; writers go on meanwhile.

    When this returns the copy is on disk, and holds every commit that had returned before the call.
    Raises FileNotFoundError, FileExistsError, other OSError; StoreUnavailable for what is no database, or a full disk.
    """
    if not source.exists():
        raise FileNotFoundError(f"there is no database at {source}")
    if target.exists():
        raise FileExistsError(f"{target} exists already; choose another file")
    draft = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        try:
            _copy(source, draft)
        except apsw.Error as error:
            raise StoreUnavailable(f"{source} cannot be copied: {error}") from error
        _sync(draft)
        os.link(draft, target)  # unlike a rename, it puts nothing in the place of a file that came meanwhile
    finally:
        draft.unlink(missing_ok=True)
    _sync(target.parent)


def _copy(source: Path, draft: Path) -> None:
    reader = connect(source, read_only=True)
    try:
        new_private(draft).close()
        writer = apsw.Connection(str(draft))
        try:
            # In one step, which reads one snapshot: in several, each commit of the server would begin it anew.
            with writer.backup("main", reader, "main") as copying:
                copying.step(-1)
            writer.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
        finally:
            writer.close()
    finally:
        reader.close()


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
