"""Programs that tests run on a disk that fills up or fails: `python -m tests.unit.store.disks full DIRECTORY`."""

import asyncio
import errno
import resource
import sys
from pathlib import Path

from esito.domain.account import Account
from esito.domain.errors import StoreUnavailable
from esito.store.sqlite import SqliteStore
from tests.kit.builders import account_in, complaints, links_in, message

NUMBERS = range(33600000000, 33600000100)


async def send_until_refused(store: SqliteStore, account: Account) -> list[int]:
    """Return the ids of the sends that were accepted, and say each as soon as it was."""
    accepted: list[int] = []
    while len(accepted) < 100_000:
        try:
            accepted.append(await store.accept(message(account, NUMBERS, cost=0)))
        except StoreUnavailable:
            return accepted
        print(accepted[-1], flush=True)  # noqa: T201  what the test compares
    raise AssertionError("the disk never fills")


async def require_all(store: SqliteStore, account: Account, accepted: list[int]) -> None:
    for number in accepted:
        rows = await store.recipients_of(account.id, number)
        assert rows is not None
        assert len(rows) == len(NUMBERS)
    assert (await store.counts()).messages == len(accepted)
    assert await complaints(store) == []


async def full(directory: Path) -> None:
    """Fill the disk, twice; at each step all that was accepted is there, and nothing else."""
    store = SqliteStore(directory / "esito.db")
    await store.open()
    account = await account_in(store)
    await links_in(store)
    ballast = directory / "ballast"
    ballast.write_bytes(b"\0" * 1_000_000)
    accepted = await send_until_refused(store, account)
    await require_all(store, account, accepted)
    ballast.unlink()
    more = await send_until_refused(store, account)
    assert more, "it did not go on once there was space"
    await require_all(store, account, accepted + more)
    await store.close()
    await (again := SqliteStore(directory / "esito.db")).open()
    await require_all(again, account, accepted + more)
    await again.close()


def largest_file(directory: Path) -> int:
    return max(path.stat().st_size for path in directory.iterdir())


async def failing(directory: Path) -> None:
    """Let writes beyond some length of a file fail as on a broken disk, and send until the process is ended."""
    store = SqliteStore(directory / "esito.db")
    await store.open()
    account = await account_in(store)
    await links_in(store)
    limit = largest_file(directory) + 150_000  # beyond what the schema took
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    await send_until_refused(store, account)
    raise AssertionError(f"a write that fails with {errno.errorcode[errno.EFBIG]} was taken for a full disk")


if __name__ == "__main__":
    asyncio.run({"full": full, "failing": failing}[sys.argv[1]](Path(sys.argv[2])))
