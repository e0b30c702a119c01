"""Memory in pages of 2 MB for a measured server, as PostgreSQL's manual asks for where shared_buffers is large.

In pages of 4 kB every connection pays twice for a large store: it has to be given each page of the server's memory the
first time it looks there, and the processor forgets where the pages are. That is no property of the store.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

RESERVED = Path("/proc/sys/vm/nr_hugepages")
GATHER = Path("/proc/sys/vm/compact_memory")
MEGABYTES = 2
"""Of one page."""


@contextmanager
def huge_pages(megabytes: int) -> Iterator[bool]:
    """Have so much memory in huge pages until the block ends; yield whether the machine gave it."""
    before, wanted = _number(), megabytes // MEGABYTES
    try:
        yield _reserve(before + wanted)
    finally:
        _reserve(before)


def _reserve(pages: int) -> bool:
    if _number() == pages:
        return True
    with suppress(OSError):  # not root, or a kernel without them
        GATHER.write_text("1\n", encoding="ascii")
        RESERVED.write_text(f"{pages}\n", encoding="ascii")
    return _number() >= pages


def _number() -> int:
    return int(RESERVED.read_text(encoding="ascii")) if RESERVED.exists() else 0
