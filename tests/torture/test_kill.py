"""`kill -9` between any two steps of a message's life loses nothing that was answered.

The operator's own list is the witness: what it says was acknowledged must be in the trail.
"""

import random
import time
from pathlib import Path

import pytest

from tests.torture import FULL
from tests.torture.house import House, Sender, promised, until
from tests.torture.witness import Witness

ROUNDS = 200 if FULL else 6


@pytest.mark.timeout(60 + ROUNDS * 10)
def test_nothing_answered_is_lost_however_often_the_server_is_killed(tmp_path: Path) -> None:
    chance = random.Random()
    database = tmp_path / "esito.db"
    with Witness() as witness, House(folder=tmp_path, database=database, links={"alpha": witness.port}) as house:
        house.start()
        with Sender(house) as sender:
            for _ in range(ROUNDS):
                before = len(witness.answered)
                until(lambda before=before: len(witness.answered) > before)
                time.sleep(chance.uniform(0, 1))
                house.kill()
                assert promised(sender, witness).missing(database) == []
                assert house.esito("check").strip() == "The books balance."
                house.start()
            time.sleep(0.5)
        house.stop()
        assert promised(sender, witness).missing(database) == []
        assert sender.accepted
        assert len(witness.acknowledged) > ROUNDS
        assert len(witness.submitted) == len(set(witness.submitted)), "a segment was submitted twice"
        assert house.esito("check").strip() == "The books balance."
