"""A server of the log dies, or finds its file damaged: no acknowledged receipt is missing."""

import os
from pathlib import Path

from tests.faults.stage import A_CLUSTER, STREAM, Stage
from tests.kit.needs import needs
from tests.kit.patience import moment
from tests.torture.house import until

pytestmark = needs(*A_CLUSTER)

SMALL_MB = 64


def test_the_leader_of_the_stream_is_killed(stage: Stage) -> None:
    with stage.load() as loads:
        stage.flows(loads)
        leader = stage.leader()
        killed = moment()
        stage.run(leader.process.kill())
        stage.flows(loads)
        stage.report("leader of the stream killed", loads, killed)
        stage.run(leader.process.start())
        stage.replicas_agree()
        stage.flows(loads)
    stage.settled(loads)


def test_a_replica_whose_file_is_cut_short_and_has_a_wrong_byte_becomes_the_leader(stage: Stage) -> None:
    workers = stage.installation.of("worker")
    with stage.load() as loads:
        stage.flows(loads)
        for worker in workers:
            stage.run(worker.process.stop())
        # Now the log alone, and the spools, have what is acknowledged.
        until(lambda: stage.waiting_frames() > 100)
    leader = stage.leader()
    victim = next(node for node in stage.installation.nats.nodes if node is not leader)
    stage.run(victim.process.kill())
    damage(victim.files_of(STREAM)[-1])
    stage.run(victim.process.start())
    stage.replicas_agree()
    stage.lead(victim.name)
    again = stage.sent_again()
    with stage.load() as more:
        for worker in workers:
            stage.run(worker.start())
        stage.flows([*more])
    stage.settled([*loads, *more])
    until(lambda: stage.waiting_frames() == 0)
    stage.told.append(f"replica damaged: {stage.sent_again() - again} frames had to be sent again")


def damage(file: Path) -> None:
    """Cut some records off, and change a byte of one in the middle."""
    with file.open("r+b") as content:
        size = content.seek(0, os.SEEK_END)
        assert size > 4096, "there is nothing to damage"
        content.truncate(size - size // 10)
        content.seek(size // 2)
        (byte,) = content.read(1)
        content.seek(size // 2)
        content.write(bytes([byte ^ 0x10]))
        os.fsync(content.fileno())
