"""Files that only their owner reads, whatever the umask, and never through a link."""

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from esito.private_files import is_open_to_others, make_private, new_private, open_private
from esito.receipt_log.spool import Spool
from esito.simulator.journal import Journal
from esito.store.sqlite import SqliteStore
from esito.store.sqlite.backup import backup
from esito.store.sqlite.serving import only_server
from tests.kit.builders import account_in, links_in, message

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True, params=[0, 0o022, 0o077])
def umask(request: pytest.FixtureRequest) -> Iterator[None]:
    before = os.umask(request.param)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_a_database_its_log_and_its_backup_are_their_owners(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    store = SqliteStore(folder / "esito.db")
    with only_server(folder / "esito.db"):
        await store.open()
        await links_in(store)
        await store.accept(message(await account_in(store)))
        backup(folder / "esito.db", tmp_path / "copy.db")
        names = {file.name for file in folder.iterdir()}
        assert {"esito.db", "esito.db-wal", "esito.db-shm"} <= names
        assert {mode(file) for file in [*folder.iterdir(), tmp_path / "copy.db"]} == {0o600}
        assert mode(folder) == 0o700
        await store.close()


async def test_a_database_behind_a_link_is_made_where_it_leads(tmp_path: Path) -> None:
    (tmp_path / "esito.db").symlink_to(tmp_path / "elsewhere.db")
    store = SqliteStore(tmp_path / "esito.db")
    await store.open()
    await store.close()
    assert mode(tmp_path / "elsewhere.db") == 0o600


def test_the_spool_and_the_journal_are_their_owners(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    spool.open()
    spool.append_many([lambda _: b"frame"])
    journal = Journal(tmp_path / "journal.jsonl")
    journal.close()
    assert {mode(file) for file in [*(tmp_path / "spool").iterdir(), tmp_path / "journal.jsonl"]} == {0o600}
    assert mode(tmp_path / "spool") == 0o700
    spool.close()


def test_no_file_is_opened_through_a_link(tmp_path: Path) -> None:
    mine, link = tmp_path / "mine", tmp_path / "link"
    mine.write_text("precious")
    link.symlink_to(mine)
    with pytest.raises(OSError, match="link") as refused:
        open_private(link, os.O_WRONLY | os.O_TRUNC)
    assert refused.value.errno == errno.ELOOP
    with new_private(link) as file:
        file.write(b"new")
    assert (mine.read_text(), link.read_text(), link.is_symlink()) == ("precious", "new", False)


def test_a_file_that_exists_stays_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "esito.db"
    file.write_text("kept")
    file.chmod(0o640)
    make_private(file)
    assert (file.read_text(), mode(file), is_open_to_others(file)) == ("kept", 0o640, True)
    file.chmod(0o600)
    assert not is_open_to_others(file)


def test_what_stands_in_dev_may_be_a_link() -> None:
    os.close(open_private(Path("/dev/fd/1"), os.O_WRONLY))


def test_a_way_through_dev_makes_no_link_a_device(tmp_path: Path) -> None:
    mine, link = tmp_path / "mine", tmp_path / "link"
    mine.write_text("precious")
    link.symlink_to(mine)
    with pytest.raises(OSError, match="link"):
        open_private(Path("/dev/..").joinpath(*link.parts[1:]), os.O_WRONLY | os.O_TRUNC)
    assert mine.read_text() == "precious"


@pytest.mark.skipif(not os.access("/dev/shm", os.W_OK), reason="there is no memory to share")
def test_in_the_shared_memory_below_dev_anybody_may_make_links() -> None:
    with TemporaryDirectory(dir="/dev/shm") as folder:
        mine, link = Path(folder) / "mine", Path(folder) / "link"
        mine.write_text("precious")
        link.symlink_to(mine)
        with pytest.raises(OSError, match="link"):
            open_private(link, os.O_WRONLY | os.O_TRUNC)
        assert mine.read_text() == "precious"
