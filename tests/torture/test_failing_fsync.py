"""When fsync fails, nobody knows what the disk holds: the process stops, and nothing was answered that it spoilt.

The library that makes it fail asks the kernel for no sync, so that in the trace nothing becomes durable any more.
"""

import subprocess
from pathlib import Path

import pytest

from tests.kit.needs import needs
from tests.kit.patience import PATIENCE
from tests.torture import FULL
from tests.torture.house import House, Sender, promised, until
from tests.torture.trace import answered_early, strace
from tests.torture.witness import Witness

SOURCE = Path(__file__).with_name("failing_fsync.c")


@needs("cc", "strace")
@pytest.mark.parametrize("round_", range(10 if FULL else 1))
def test_a_failed_fsync_stops_the_process_with_no_answer_after_it(tmp_path: Path, round_: int) -> None:
    library, trigger, database = tmp_path / "failing_fsync.so", tmp_path / "now", tmp_path / "esito.db"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-ldl"], check=True)
    with Witness() as witness, House(folder=tmp_path, database=database, links={"alpha": witness.port}) as house:
        log = tmp_path / "trace"
        spoilt = {"LD_PRELOAD": str(library), "FAILING_FSYNC_TRIGGER": str(trigger)}
        house.start(before=strace(log), **spoilt)
        assert house.process is not None
        with Sender(house) as sender:
            until(lambda: len(witness.acknowledged) > 100)
            trigger.touch()
            assert house.process.wait(PATIENCE) == 70
            assert answered_early(log, witness, sender)[0] == []
            assert "commit_failed" in house.log
            trigger.unlink()
            kept = promised(sender, witness)
            house.start()
            until(lambda: len(witness.acknowledged) > len(kept.receipts))
        house.stop()
        assert promised(sender, witness).missing(database) == []
        assert house.esito("check").strip() == "The books balance."
