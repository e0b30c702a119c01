"""What a gateway keeps on its own disk: nothing is lost that was appended, no number comes twice."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from esito.receipt_log.spool import Spool, SpoolInUse


def frames(count: int, size: int = 100) -> list[Callable[[int], bytes]]:
    return [lambda sequence: b"%d:" % sequence + b"x" * size for _ in range(count)]


def whole(sequence: int, size: int = 100) -> bytes:
    return b"%d:" % sequence + b"x" * size


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    opened = Spool(tmp_path / "spool", roll_at=1000)
    opened.open()
    yield opened
    opened.close()


def again(spool: Spool) -> Spool:
    spool.close()
    opened = Spool(spool._directory, roll_at=1000)
    opened.open()
    return opened


def files(spool: Spool) -> list[Path]:
    return sorted(spool._directory.glob("*.frames"))


def test_frames_are_numbered_without_a_hole_and_found_again(spool: Spool) -> None:
    assert [sequence for sequence, _ in spool.append_many(frames(3))] == [1, 2, 3]
    assert spool.append_many(frames(1)) == [(4, whole(4))]
    opened = again(spool)
    assert list(opened.frames()) == [(number, whole(number)) for number in (1, 2, 3, 4)]
    assert opened.epoch == spool.epoch > 0
    assert opened.append_many(frames(1))[0][0] == 5
    opened.close()


def test_what_is_confirmed_is_let_go_and_its_numbers_are_not_used_again(spool: Spool) -> None:
    for _ in range(30):
        spool.append_many(frames(2))
    many = len(files(spool))
    spool.confirm(40)
    assert spool.unconfirmed() == list(range(41, 61))
    assert len(files(spool)) < many
    spool.confirm(60)
    spool.confirm(5)
    opened = again(spool)
    assert (opened.confirmed, opened.last, opened.unconfirmed()) == (60, 60, [])
    assert opened.append_many(frames(1))[0][0] == 61
    opened.close()


def test_only_one_process_uses_a_folder(spool: Spool) -> None:
    with pytest.raises(SpoolInUse, match="each gateway needs one of its own"):
        Spool(spool._directory).open()


def test_a_new_folder_begins_a_new_epoch(spool: Spool, tmp_path: Path) -> None:
    time.sleep(0.002)
    other = Spool(tmp_path / "other")
    other.open()
    assert other.epoch != spool.epoch
    other.close()


def test_a_tail_that_was_half_written_is_cut_off_wherever_it_ends(spool: Spool, tmp_path: Path) -> None:
    spool.append_many(frames(2, size=10))
    (file,) = files(spool)
    content = file.read_bytes()
    first = len(content) // 2
    spool.close()
    for length in range(first, len(content)):
        folder = tmp_path / str(length)
        folder.mkdir()
        (folder / file.name).write_bytes(content[:length])
        torn = Spool(folder)
        torn.open()
        assert list(torn.frames()) == [(1, whole(1, 10))]
        assert (torn.damaged, torn.append_many(frames(1, 10))) == ([], [(2, whole(2, 10))])
        torn.close()


def test_damage_in_the_middle_is_said_and_costs_one_frame(spool: Spool, tmp_path: Path) -> None:
    spool.append_many(frames(4, size=10))
    (file,) = files(spool)
    content = file.read_bytes()
    record = len(content) // 4
    spool.close()
    for place in range(record, 2 * record):
        folder = tmp_path / str(place)
        folder.mkdir()
        damaged = bytearray(content)
        damaged[place] ^= 0x40
        (folder / file.name).write_bytes(damaged)
        found = Spool(folder)
        found.open()
        assert found.unconfirmed() == [1, 3, 4]
        assert len(found.damaged) == 1
        assert found.append_many(frames(1))[0][0] == 5
        found.close()


def test_a_damaged_frame_at_the_end_may_be_known_to_others_and_gives_its_number_to_nobody(spool: Spool) -> None:
    spool.append_many(frames(2))
    (file,) = files(spool)
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    opened = again(spool)
    assert opened.unconfirmed() == [1]
    assert opened.damaged == [f"frame 2 at the end of {file.name} is damaged"]
    assert opened.append_many(frames(1))[0][0] == 3
    opened.close()


def test_a_frame_that_is_damaged_later_is_not_handed_out(spool: Spool) -> None:
    spool.append_many(frames(2))
    (file,) = files(spool)
    content = bytearray(file.read_bytes())
    content[60] ^= 1
    file.write_bytes(content)
    assert spool.one(1) is None
    assert spool.one(2) == whole(2)
    assert spool.damaged == [f"frame 1 in {file.name} is damaged"]


def test_it_says_when_it_is_full(spool: Spool) -> None:
    small = Spool(spool._directory.parent / "small", most=1000, roll_at=500)
    small.open()
    small.append_many(frames(5))
    assert small.full is False
    small.append_many(frames(5))
    assert bool(small.full)
    small.confirm(10)
    small.append_many(frames(1))
    assert not small.full
    small.close()


CHILD = """
import sys
from pathlib import Path
from esito.receipt_log.spool import Spool
spool = Spool(Path(sys.argv[1]), roll_at=200_000)
spool.open()
while True:
    made = spool.append_many([lambda sequence: b"%d:" % sequence + b"x" * 3000 for _ in range(7)])
    print(made[-1][0], flush=True)
"""


@pytest.mark.slow
def test_whatever_was_appended_outlives_a_kill(tmp_path: Path) -> None:
    last = 0
    for _ in range(5):
        child = subprocess.Popen([sys.executable, "-c", CHILD, str(tmp_path)], stdout=subprocess.PIPE, text=True)
        assert child.stdout is not None
        child.stdout.readline()
        time.sleep(0.1)
        child.send_signal(signal.SIGKILL)
        told = [int(line) for line in child.stdout.read().splitlines() if line]
        child.wait()
        child.stdout.close()
        last = told[-1] if told else last
        spool = Spool(tmp_path)
        spool.open()
        assert spool.last >= last
        assert spool.unconfirmed() == list(range(1, spool.last + 1))
        assert spool.one(last) == whole(last, 3000)
        spool.close()


FILLED = """
import resource, signal, sys
from pathlib import Path
from esito.receipt_log.spool import Spool
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500))
spool = Spool(Path(sys.argv[1]))
spool.open()
spool.append_many([lambda sequence: b"x" * 1000])
try:
    spool.append_many([lambda sequence: b"y" * 1000])
except OSError:
    print("refused", spool.append_many([lambda sequence: b"z" * 100])[0][0])
"""


def test_what_does_not_fit_on_the_disk_is_refused_and_its_number_is_free(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", FILLED, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout == "refused 2\n", done.stderr
    spool = Spool(tmp_path)
    spool.open()
    assert list(spool.frames()) == [(1, b"x" * 1000), (2, b"z" * 100)]
    spool.close()
