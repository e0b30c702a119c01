"""When fsync fails, nobody knows what the disk holds: the process stops within a second and says nothing more."""

import subprocess
import time
from pathlib import Path

import pytest

from tests.kit.needs import needs
from tests.torture import FULL
from tests.torture.house import House, Sender, promised, until
from tests.torture.witness import Witness

SOURCE = Path(__file__).with_name("failing_fsync.c")


@needs("cc")
@pytest.mark.parametrize("round_", range(10 if FULL else 1))
def test_a_failed_fsync_stops_the_process_within_a_second_with_no_answer_after_it(tmp_path: Path, round_: int) -> None:
    library, trigger, database = tmp_path / "failing_fsync.so", tmp_path / "now", tmp_path / "esito.db"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-ldl"], check=True)
    with Witness() as witness, House(folder=tmp_path, database=database, links={"alpha": witness.port}) as house:
        house.start(LD_PRELOAD=str(library), FAILING_FSYNC_TRIGGER=str(trigger))
        assert house.process is not None
        with Sender(house) as sender:
            until(lambda: len(witness.acknowledged) > 100)
            trigger.touch()
            fails_from = time.monotonic()
            assert house.process.wait(1) == 70
            # What was synced before the trigger may still be on its way.
            late = [one for one in witness.acknowledged if one.at > fails_from + 0.1]
            late_sends = [at for at, _, _ in sender.accepted.values() if at > fails_from + 0.1]
            assert (late, late_sends) == ([], [])
            assert "commit_failed" in house.log
            trigger.unlink()
            kept = promised(sender, witness)
            house.start()
            until(lambda: len(witness.acknowledged) > len(kept.receipts))
        house.stop()
        assert promised(sender, witness).missing(database) == []
        assert house.esito("check").strip() == "The books balance."
