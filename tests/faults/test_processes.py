"""A process of Esito dies or sleeps: another does its work, and none does it twice."""

import signal
import time

import pytest

from esito.links.lease_keeper import LEASE_SECONDS, LOOK_EVERY
from tests.faults.stage import A_CLUSTER, Stage
from tests.kit.needs import needs
from tests.kit.patience import moment

pytestmark = needs(*A_CLUSTER)

SLEEPS = 3 * LEASE_SECONDS
MOVED_WITHIN = 10.0
"""Seconds: how long nobody may hold a link."""


@pytest.mark.parametrize("role", ["api", "worker"])
def test_a_killed_process_of_two_is_not_missed(stage: Stage, role: str) -> None:
    victim = stage.installation.of(role)[0]
    with stage.load() as loads:
        stage.flows(loads)
        killed = moment()
        stage.run(victim.process.kill())
        stage.flows(loads[1::2] if role == "api" else loads)
        stage.report(f"{role} killed", loads, killed)
        stage.run(victim.start())
        stage.flows(loads)
    stage.settled(loads)


def test_the_links_of_a_killed_gateway_move_within_ten_seconds(stage: Stage) -> None:
    victim = stage.holder("north")
    with stage.load() as loads:
        stage.flows(loads)
        killed = moment()
        stage.run(stage.installation.named(victim).process.kill())
        stage.flows(loads)
        assert stage.holder("north") != victim
        stage.report("gateway killed", loads, killed)
        stage.run(stage.installation.named(victim).start())
        stage.flows(loads)
    stage.settled(loads)
    assert LEASE_SECONDS + LOOK_EVERY <= MOVED_WITHIN


def test_a_gateway_that_slept_until_long_after_its_lease_submits_nothing_twice(stage: Stage) -> None:
    sleeper = stage.holder("south")
    process = stage.installation.named(sleeper).process
    with stage.load() as loads:
        stage.flows(loads)
        asleep = moment()
        process.send(signal.SIGSTOP)
        stage.flows(loads)  # by the other, which cannot hold the link before the lease has run out
        time.sleep(SLEEPS)
        process.send(signal.SIGCONT)
        stage.flows(loads)
        assert stage.holder("south") != sleeper
        time.sleep(3)  # whatever it still wanted to do, it has done by now
        stage.flows(loads)
        stage.report("gateway stopped", loads, asleep)
    stage.settled(loads)


TWICE = """
SELECT smsc_id, received_at, array_agg(verdict ORDER BY id) AS verdicts
  FROM trail WHERE received_at > $1 AND origin IS NULL GROUP BY smsc_id, received_at, raw HAVING count(*) > 1"""
"""Receipts that stand there more than once as one PDU brought them; what an operator repeats comes in another PDU."""


def test_a_worker_that_slept_with_frames_in_its_hands_applies_none_twice(stage: Stage) -> None:
    sleeper = stage.installation.of("worker")[0]
    began = int(time.time() * 1000)
    with stage.load() as loads:
        stage.flows(loads)
        sleeper.process.send(signal.SIGSTOP)
        time.sleep(8)
        sleeper.process.send(signal.SIGCONT)
        stage.flows(loads)
    stage.settled(loads)
    assert stage.query(TWICE, began) == []
