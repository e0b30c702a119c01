"""One server at a time works with a file: two would hand out the same segments.

A lock on a file beside the database, held as long as the process lives: the kernel takes it back from one that is
killed. Commands that open the database beside a running server take no lock.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from esito.domain.errors import StoreInUse, StoreUnavailable
from esito.private_files import make_folder, open_private


def lock_file(path: Path) -> Path:
    """Return what is locked for a database; another name of the same file leads to the same lock."""
    real = path.resolve()
    return real.with_name(f"{real.name}-server")


@contextmanager
def only_server(path: Path) -> Iterator[None]:
    """Be the only server on this database within the block. Raises StoreInUse, StoreUnavailable."""
    lock = lock_file(path)
    try:
        make_folder(lock.parent)
        descriptor = open_private(lock, os.O_RDWR)
    except OSError as error:
        raise StoreUnavailable(f"cannot make {lock}: {error.strerror}") from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise StoreInUse(
                f"another server works with {path}; stop it first, or use PostgreSQL, which several may share"
            ) from error
        except OSError as error:
            raise StoreUnavailable(f"cannot lock {lock}: {error.strerror}") from error
        yield
    finally:
        os.close(descriptor)
