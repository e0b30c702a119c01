"""No answer leaves before the fdatasync of its commit: seen from the kernel."""

import subprocess
from pathlib import Path

import pytest

from tests.kit.needs import needs
from tests.kit.patience import HANGS, PATIENCE
from tests.torture import FULL
from tests.torture.house import House, Sender, until
from tests.torture.trace import answered_early, strace
from tests.torture.witness import Witness

ANSWERS = 10_000 if FULL else 500


@needs("strace")
@pytest.mark.timeout(HANGS * (5 if FULL else 1))
def test_no_answer_leaves_before_its_commit_is_on_the_disk(tmp_path: Path) -> None:
    log = tmp_path / "trace"
    database = tmp_path / "esito.db"
    with Witness() as witness, House(folder=tmp_path, database=database, links={"alpha": witness.port}) as house:
        house.start(before=strace(log))
        with Sender(house) as sender:
            until(lambda: len(witness.acknowledged) >= ANSWERS, times=10 if FULL else 1)
        assert house.process is not None
        # strace itself ignores SIGTERM and ends with its child.
        subprocess.run(["pkill", "-TERM", "-P", str(house.process.pid)], check=True)
        house.process.wait(PATIENCE)
    early, seen = answered_early(log, witness, sender)
    assert early == []
    # Every answer that arrived left by a socket: what the trace does not show was not looked at.
    assert seen >= len(witness.acknowledged) + len(sender.accepted)
    assert len(witness.acknowledged) >= ANSWERS
    assert sender.accepted
