"""The primary dies, sleeps, or loses a standby: nothing that was answered is missing after the promotion."""

import asyncio
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import asyncpg
import pytest

from esito.cluster.postgres_node import PostgresNode
from esito.store.postgres.transactions import WritingConnection
from tests.faults.stage import Stage
from tests.kit import commands
from tests.kit.needs import needs
from tests.kit.patience import A_MOMENT, PATIENCE, moment

pytestmark = needs("postgres", "nats")

LONG_ENOUGH = 50 * A_MOMENT
"""Seconds in which a commit would have been acknowledged."""


def fail_over(stage: Stage) -> str:
    """Do as an operator does; return what the command said."""
    words = [word for node in stage.installation.postgres.nodes for word in ("--node", node.url)]
    done = subprocess.run(
        [sys.executable, "-m", "esito", "store", "failover", *words],
        capture_output=True, text=True, timeout=PATIENCE, check=False, env=commands.environment(),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_primary_is_killed_and_a_standby_promoted(stage: Stage) -> None:
    old = stage.primary()
    with stage.load() as loads:
        stage.flows(loads)
        killed = moment()
        stage.run(old.kill())
        fail_over(stage)
        promoted = moment()
        stage.flows(loads)
        stage.report("primary killed and a standby promoted", loads, killed)
        stage.told.append(f"primary killed: `esito store failover` took {promoted - killed:.1f} s of it")
        new = stage.primary()
        assert new is not old
        stage.run(old.rejoin(new.url))
        stage.flows(loads)
    stage.settled(loads)
    assert standbys_of(stage, new) == {node.name for node in stage.installation.postgres.nodes} - {new.name}


def test_a_primary_that_sleeps_through_a_promotion_gets_no_commit_acknowledged(stage: Stage) -> None:
    old = stage.primary()
    with stage.load() as loads:
        stage.flows(loads)
        asleep = moment()
        old.send(signal.SIGSTOP)
        fail_over(stage)
        stage.flows(loads)
        stage.report("primary stopped and a standby promoted", loads, asleep)
        old.send(signal.SIGCONT)
        with pytest.raises(TimeoutError):
            stage.run(commit(old))
        new = next(node for node in stage.installation.postgres.nodes if node is not old and is_primary(stage, node))
        stage.run(old.rejoin(new.url))
        stage.flows(loads)
    stage.settled(loads)


def test_commits_go_on_without_one_of_two_standbys(stage: Stage) -> None:
    victim = next(node for node in stage.installation.postgres.nodes if node is not stage.primary())
    with stage.load() as loads:
        stage.flows(loads)
        killed = moment()
        stage.run(victim.kill())
        stage.flows(loads)
        stage.report("one of two standbys killed", loads, killed)
        stage.run(victim.start())
        stage.flows(loads)
    stage.settled(loads)


def test_a_commit_that_is_told_to_wait_no_longer_is_not_taken_for_kept(stage: Stage) -> None:
    primary = stage.primary()
    standbys = [node for node in stage.installation.postgres.nodes if node is not primary]
    writer = WritingConnection(primary.url)
    writer.begin(alone=False)
    writer.run("keep_setting", name="colour", value="red")
    server = writer.run_once("SELECT pg_backend_pid()")
    for node in standbys:
        node.send(signal.SIGSTOP)
    with ThreadPoolExecutor(1) as aside:
        try:
            committed = aside.submit(writer.commit)
            for _ in range(5):
                time.sleep(0.3)
                stage.run(asked(primary, f"SELECT pg_cancel_backend({server})"))
            assert stage.run(asked(primary, "SELECT 1 FROM setting WHERE name = 'colour'")), "it was not cancelled"
            assert not committed.done()
        finally:
            for node in standbys:
                node.send(signal.SIGCONT)
        committed.result(PATIENCE)
    writer.close()


async def commit(node: PostgresNode) -> None:
    """Write a row on a node, and wait for the commit, which never comes."""
    connection = await asyncpg.connect(node.url, timeout=PATIENCE)
    try:
        async with asyncio.timeout(LONG_ENOUGH):
            await connection.execute("CREATE TABLE second_primary (at int)")
    finally:
        connection.terminate()


def is_primary(stage: Stage, node: PostgresNode) -> bool:
    return bool(stage.run(asked(node, "SELECT NOT pg_is_in_recovery()"))[0][0])


def standbys_of(stage: Stage, node: PostgresNode) -> set[str]:
    rows = stage.run(asked(node, "SELECT application_name FROM pg_stat_replication WHERE sync_state = 'quorum'"))
    return {row[0] for row in rows}


async def asked(node: PostgresNode, sql: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(node.url, timeout=PATIENCE)
    try:
        return list(await connection.fetch(sql))
    finally:
        await connection.close()
