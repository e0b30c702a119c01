"""A disk that is full refuses whole transactions, goes on answering, and is forgiven when there is space.

SQLite is told that the file may not grow: the same SQLITE_FULL as on a real full disk. Where the
kernel lets us mount one, a real disk of one megabyte is filled as well.
"""

import asyncio
import secrets
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from esito.domain.errors import StoreUnavailable
from esito.store.sqlite import SqliteStore
from tests.kit import looking
from tests.kit.builders import account_in, complaints, links_in, message, receipt, states_of, submitted
from tests.kit.patience import PATIENCE
from tests.unit.store.holding import held

pytestmark = pytest.mark.anyio

BIG = 20_000

MANY = range(33600000000, 33600000500)

ROOT = Path(__file__).parents[3]


async def forbid_growth(store: SqliteStore, pages: int = 1) -> None:
    """Let the file have so many pages; SQLite never goes below what it has."""
    await looking.change(store, f"PRAGMA max_page_count = {pages}")


async def allow_growth(store: SqliteStore) -> None:
    await forbid_growth(store, 2**31)


async def fill(store: SqliteStore) -> None:
    """Use up what free room the pages still have."""
    await forbid_growth(store)
    for length in (BIG, 100):
        while await fits(store, length):
            pass


async def fits(store: SqliteStore, length: int) -> bool:
    try:
        await store.keep_setting(secrets.token_hex(4), "x" * length)
    except StoreUnavailable:
        return False
    return True


async def test_a_full_disk_refuses_a_send_and_keeps_none_of_it(store: SqliteStore) -> None:
    account = await account_in(store)
    await links_in(store)
    await fill(store)
    with pytest.raises(StoreUnavailable, match=r"nothing was kept: .*full"):
        await store.accept(message(account, MANY))
    counts = await store.counts()
    assert (counts.messages, counts.recipients, counts.queued) == (0, 0, 0)
    left = await store.account_by_key(b"acme")
    assert left is not None
    assert left.credit == 100
    assert await complaints(store) == []
    await allow_growth(store)


async def test_a_full_disk_refuses_receipts_and_keeps_none_of_them(store: SqliteStore) -> None:
    account = await account_in(store)
    await links_in(store)
    number = await submitted(store, message(account), ["7"])
    await fill(store)
    heavy = receipt("7", "DELIVRD")._replace(raw=b"x" * BIG)
    with pytest.raises(StoreUnavailable):
        await store.apply_receipts([heavy])
    assert await states_of(store, account, number) == [0]
    await allow_growth(store)
    assert (await store.apply_receipts([heavy])).moved == 1


async def test_a_full_disk_answers_what_it_is_asked(store: SqliteStore) -> None:
    account = await account_in(store)
    await links_in(store)
    number = await submitted(store, message(account, tag="spring"), ["7"])
    await fill(store)
    assert await states_of(store, account, number) == [0]
    assert await store.recipient_of(account.id, number, "+33612345678") is not None
    assert await store.recipients_by_tag(account.id, "spring", page=1, size=10) is not None
    assert await store.account_by_key(b"acme") is not None
    assert await complaints(store) == []
    await allow_growth(store)


async def test_once_there_is_space_it_goes_on_by_itself(store: SqliteStore) -> None:
    account = await account_in(store)
    await links_in(store)
    await fill(store)
    with pytest.raises(StoreUnavailable):
        await store.accept(message(account, MANY))
    await allow_growth(store)
    number = await store.accept(message(account, MANY))
    assert len(await states_of(store, account, number)) == 500
    assert await store.writable()


async def test_ids_of_an_undone_send_are_not_given_out_again_after_a_restart(path: Path) -> None:
    """The block of ids that the first send took was undone with it."""
    store = SqliteStore(path)
    await store.open()
    account = await account_in(store)
    await links_in(store)
    # Both in one transaction, which the second makes too large.
    await forbid_growth(store)
    async with held(store):
        writes = [store.accept(message(account)), store.keep_setting("ballast", "x" * BIG * 10)]
        waiting = [asyncio.ensure_future(one) for one in writes]
        await asyncio.sleep(0)
    refused = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(one) for one in refused] == [StoreUnavailable, StoreUnavailable]
    await allow_growth(store)
    first = await store.accept(message(account))
    await store.close()
    await (again := SqliteStore(path)).open()
    await links_in(again)
    second = await again.accept(message(account))
    assert second > first
    assert await complaints(again) == []
    await again.close()


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=PATIENCE)


@pytest.mark.slow
def test_a_real_disk_that_is_full_loses_nothing_and_goes_on_when_there_is_space(tmp_path: Path) -> None:
    """On a disk of four megabytes of its own, in a namespace that ends with the program."""
    if shutil.which("unshare") is None:
        pytest.skip("needs unshare(1)")
    mount = f"mount -t tmpfs -o size=4m tmpfs {shlex.quote(str(tmp_path))}"
    program = shlex.join([sys.executable, "-m", "tests.unit.store.disks", "full", str(tmp_path)])
    namespace = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    if run(*namespace, mount).returncode != 0:
        pytest.skip("needs a kernel that lets us mount a disk of our own")
    done = run(*namespace, f"{mount} && {program}")
    assert done.returncode == 0, done.stderr


async def test_a_commit_whose_end_is_unknown_ends_the_process_and_loses_nothing_accepted(tmp_path: Path) -> None:
    done = run(sys.executable, "-m", "tests.unit.store.disks", "failing", str(tmp_path))
    assert done.returncode == 70, done.stderr
    accepted = [int(line) for line in done.stdout.splitlines() if line.isdigit()]
    assert accepted
    store = SqliteStore(tmp_path / "esito.db")
    await store.open()
    (account, _), *_ = await store.accounts()
    for number in accepted:
        assert len(await states_of(store, account, number)) == 100
    # The last send may be there or not: nobody was told.
    assert (await store.counts()).messages - len(accepted) in {0, 1}
    assert await complaints(store) == []
    await store.close()
