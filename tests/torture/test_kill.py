"""`kill -9` between any two steps of a message's life loses nothing that was answered.

The operator's own list is the witness: what it says was acknowledged must be in the trail.
"""

import time
from functools import partial
from pathlib import Path

import pytest

from tests.kit.patience import HANGS
from tests.kit.place import a_place_for
from tests.kit.stores import KINDS, LOGGED
from tests.torture import FULL
from tests.torture.house import House, Sender, a_chance, promised, until
from tests.torture.witness import Witness

ROUNDS = 200 if FULL else 5
ROUNDS_BESIDE = 50 if FULL else 2
"""On other stores a round is longer: a link moves when the lease of the one who died has run out."""


@pytest.mark.parametrize("kind", [*KINDS, LOGGED])
@pytest.mark.timeout(HANGS * (1 + ROUNDS / 10))
def test_nothing_answered_is_lost_however_often_the_server_is_killed(kind: str, tmp_path: Path) -> None:
    chance = a_chance()
    rounds = ROUNDS if kind == "sqlite" else ROUNDS_BESIDE
    with Witness() as witness, a_place_for(kind, tmp_path) as place:
        links = {"alpha": witness.port}
        with House(folder=tmp_path, database=tmp_path / "esito.db", links=links, place=place) as house:
            house.start()
            with Sender(house) as sender:
                for _ in range(rounds):
                    before = len(witness.answered)
                    until(partial(has_answered, witness, before + 1))
                    time.sleep(chance.uniform(0, 1))
                    house.kill()
                    if kind != "postgres+nats":  # else receipts may be in the log, for the next process to apply
                        assert promised(sender, witness).missing(place.store) == []
                        assert house.esito("check").strip() == "The books balance."
                    house.start()
                time.sleep(0.5)
            until(house.has_applied_all)
            house.stop()
            assert promised(sender, witness).missing(place.store) == []
            assert sender.accepted
            assert len(witness.acknowledged) > rounds
            assert len(witness.submitted) == len(set(witness.submitted)), "a segment was submitted twice"
            assert house.esito("check").strip() == "The books balance."


def has_answered(witness: Witness, count: int) -> bool:
    return len(witness.answered) >= count
