"""A half-open link: packets vanish, nobody says that the connection is gone. The link notices by itself."""

import time
from pathlib import Path

import pytest

from tests.kit.needs import needs
from tests.kit.patience import A_MOMENT, Stopwatch
from tests.torture.house import House, Sender, promised, until
from tests.torture.network import FarWitness, Network

ENQUIRE, RESPONSE = 1.0, 2.0
"""Seconds: `enquire_interval` and `response_timeout` of the link."""

SETTINGS = f"enquire_interval = {ENQUIRE}\nresponse_timeout = {RESPONSE}"


@needs("network namespaces")
@pytest.mark.parametrize("busy", [True, False], ids=["under load", "idle"])
def test_a_half_open_link_is_noticed_in_time_and_no_segment_is_sent_twice(tmp_path: Path, busy: bool) -> None:
    with (
        Network() as network,
        FarWitness(network) as witness,
        House(
            folder=tmp_path, database=tmp_path / "esito.db", links={"alpha": witness.port},
            operator_host=network.operators, link_settings={"alpha": SETTINGS},
        ) as house,
    ):  # fmt: skip
        house.start()
        until(house.bound)
        sender = Sender(house)
        with sender:
            until(lambda: len(witness.acknowledged) > 200)
            if not busy:
                sender.stop()
                until(lambda: len(witness.acknowledged) == sum(len(sent[2]) for sent in sender.accepted.values()))
            network.forward(False)
            cut = Stopwatch()
            until(lambda: not house.bound())
            if not busy:
                assert cut.at_least(RESPONSE), "noticed before anything was late"
            time.sleep(A_MOMENT)
            network.forward(True)
            until(house.bound)
            bound_again = len(witness.acknowledged)
            if busy:
                until(lambda: len(witness.acknowledged) > bound_again + 200)
        house.stop()
        assert len(witness.submitted) == len(set(witness.submitted)), "a segment was submitted twice"
        assert promised(sender, witness).missing(house.database) == []
        assert house.esito("check").strip() == "The books balance."
