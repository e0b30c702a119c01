"""A full disk stops acknowledging and accepting, says so, answers queries, and goes on by itself."""

import os
import subprocess
from pathlib import Path

from tests.kit.needs import needs
from tests.torture.house import House, Sender, promised, until
from tests.torture.witness import Witness


@needs("mounts")
def test_a_full_disk_accepts_nothing_says_so_and_recovers_by_itself(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(disk)], check=True)
    try:
        _fill_and_make_room(tmp_path, disk)
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def _fill_and_make_room(folder: Path, disk: Path) -> None:
    database, ballast = disk / "esito.db", disk / "ballast"
    with Witness() as witness, House(folder=folder, database=database, links={"alpha": witness.port}) as house:
        house.start()
        with Sender(house) as sender:
            until(lambda: len(witness.acknowledged) > 200)
            some = next(iter(sender.accepted))
            fill(ballast)
            until(lambda: sender.refused)
            # Receipts of segments nobody sent: kept too, when there is room.
            for number in range(50):
                witness.deliver(f"X{number:09d}", "33600000000")
            until(lambda: witness.put_off)
            full_from = len(sender.refused)
            until(lambda: len(sender.refused) > full_from + 3)
            answer = house.ready()
            assert answer.status_code == 503
            assert answer.json()["missing"]
            assert house.status(some).status_code == 200
            full_until = len(sender.refused)
            # A small write may still find room in the log; then it is kept, and was rightly answered.
            refused = sender.refused[full_from:full_until]
            assert refused
            assert {one.status // 100 for one in refused} == {5}
            assert all("code" in one.text for one in refused), refused[0]
            kept = promised(sender, witness)
            ballast.unlink()
            until(lambda: len(sender.accepted) > len(kept.messages))
            until(lambda: len(witness.acknowledged) > len(kept.receipts))
            until(lambda: house.ready().status_code == 200)
        house.stop()
        assert promised(sender, witness).missing(database) == []
        assert house.esito("check").strip() == "The books balance."


def fill(ballast: Path) -> None:
    """Write until there is no room at all."""
    with ballast.open("wb", buffering=0) as file:
        size = 1 << 20
        while size:
            try:
                file.write(os.urandom(size))
            except OSError:
                size //= 2
