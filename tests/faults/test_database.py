"""The primary dies, sleeps, is replaced, or loses a standby: nothing that was answered is missing afterwards."""

import asyncio
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import asyncpg
import pytest

from esito.store.postgres.commit_outcome import PostgresWriter
from esito_cluster.patroni_node import PatroniNode
from tests.faults.proxy import haproxy
from tests.faults.stage import A_CLUSTER, Stage
from tests.kit.needs import needs
from tests.kit.patience import A_MOMENT, A_TRY, PATIENCE, moment
from tests.kit.patience import wait_until as until

pytestmark = needs(*A_CLUSTER)

LONG_ENOUGH = 50 * A_MOMENT
"""Seconds in which a commit would have been acknowledged."""


def test_the_server_of_the_primary_is_killed(stage: Stage) -> None:
    """Patroni promotes a standby; or starts the server again, should no other node answer it in time."""
    old = stage.primary()
    with stage.load() as loads:
        stage.flows(loads)
        killed = moment()
        old.send_server(signal.SIGKILL)
        stage.flows(loads)
        stage.report("primary killed", loads, killed)
        stage.standbys_follow()
        stage.flows(loads)
    stage.settled(loads)


def test_a_primary_that_sleeps_through_a_promotion_gets_no_commit_acknowledged(stage: Stage) -> None:
    old = stage.primary()
    with stage.load() as loads:
        stage.flows(loads)
        asleep = moment()
        old.send(signal.SIGSTOP)
        stage.flows(loads)
        stage.report("primary and its Patroni stopped", loads, asleep)
        old.send_server(signal.SIGCONT)  # Patroni sleeps on, and cannot tell it that another is the primary
        with pytest.raises(TimeoutError):
            stage.run(commit(old))
        old.send(signal.SIGCONT)
        assert stage.primary() is not old
        stage.standbys_follow()
        stage.flows(loads)
    stage.settled(loads)


@needs("haproxy")
def test_a_primary_hands_over_as_planned_and_a_proxy_follows(stage: Stage, tmp_path: Path) -> None:
    old = stage.primary()
    nodes = stage.installation.postgres.nodes
    new = next(node for node in nodes if node is not old)
    with haproxy(tmp_path, nodes) as url, stage.load() as loads:
        stage.flows(loads)
        until(lambda: stage.run(led_to(url)) == old.port)
        told = moment()
        stage.switch_to(new.name)
        stage.flows(loads)
        stage.report("`patronictl switchover`", loads, told)
        until(lambda: stage.run(led_to(url)) == new.port)
        stage.standbys_follow()
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
        stage.run(stage.installation.postgres.start())
        stage.flows(loads)
    stage.settled(loads)


def test_a_commit_that_is_told_to_wait_no_longer_is_not_taken_for_kept(stage: Stage) -> None:
    primary = stage.primary()
    standbys = [node for node in stage.installation.postgres.nodes if node is not primary]
    writer = PostgresWriter(primary.url)
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


async def commit(node: PatroniNode) -> None:
    """Write a row on a node, and wait for the commit, which never comes."""
    connection = await asyncpg.connect(node.url, timeout=PATIENCE)
    try:
        async with asyncio.timeout(LONG_ENOUGH):
            await connection.execute("CREATE TABLE second_primary (at int)")
    finally:
        connection.terminate()


async def led_to(url: str) -> int | None:
    """Return the port of the server to which a proxy leads; None while it leads nowhere."""
    try:
        async with asyncio.timeout(A_TRY):
            connection = await asyncpg.connect(url)
            port: int = await connection.fetchval("SELECT inet_server_port()")
            connection.terminate()
    except (OSError, TimeoutError, asyncpg.PostgresError):
        return None
    return port


async def asked(node: PatroniNode, sql: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(node.url, timeout=PATIENCE)
    try:
        return list(await connection.fetch(sql))
    finally:
        await connection.close()
