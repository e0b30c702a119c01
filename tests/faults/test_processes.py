"""A process of Esito dies or sleeps: another does its work, and none does it twice."""

import signal
import time

import pytest

from tests.faults.stage import Stage
from tests.kit.needs import needs
from tests.torture.house import until

pytestmark = [needs("postgres", "nats"), pytest.mark.timeout(180)]

MOVED_WITHIN = 10.0


@pytest.mark.parametrize("role", ["api", "worker"])
def test_a_killed_process_of_two_is_not_missed(stage: Stage, role: str) -> None:
    victim = stage.installation.of(role)[0]
    with stage.load() as loads:
        stage.flows(loads)
        killed = time.monotonic()
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
        killed = time.monotonic()
        stage.run(stage.installation.named(victim).process.kill())
        until(lambda: stage.witnesses["north"].acknowledged[-1].at > killed + 0.5)
        moved = time.monotonic() - killed
        stage.flows(loads)
        stage.report("gateway killed", loads, killed)
        stage.run(stage.installation.named(victim).start())
        stage.flows(loads)
    stage.settled(loads)
    assert moved < MOVED_WITHIN


def test_a_gateway_that_slept_for_thirty_seconds_submits_nothing_twice(stage: Stage) -> None:
    sleeper = stage.holder("south")
    process = stage.installation.named(sleeper).process
    with stage.load() as loads:
        stage.flows(loads)
        asleep = time.monotonic()
        process.send(signal.SIGSTOP)
        until(lambda: stage.witnesses["south"].acknowledged[-1].at > asleep + 0.5)
        moved = time.monotonic() - asleep
        time.sleep(max(0, asleep + 30 - time.monotonic()))
        process.send(signal.SIGCONT)
        stage.flows(loads)
        assert stage.holder("south") != sleeper
        time.sleep(3)  # whatever it still wanted to do, it has done by now
        stage.flows(loads)
        stage.report("gateway stopped for 30 s", loads, asleep)
    stage.settled(loads)
    assert moved < MOVED_WITHIN


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
