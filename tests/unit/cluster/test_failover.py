"""A standby becomes the primary only when nothing that was acknowledged can be missing, or when that was accepted."""

import asyncio
import shutil
from collections.abc import AsyncIterator

import asyncpg
import pytest

from esito.cluster.failover import FailoverRefused, fail_over
from esito.cluster.postgres import PostgresCluster
from esito.cluster.postgres_roles import connect
from tests.kit.needs import needs
from tests.kit.patience import in_time
from tests.kit.postgres import reachable_folder

pytestmark = [pytest.mark.anyio, needs("postgres")]


@pytest.fixture
async def cluster() -> AsyncIterator[PostgresCluster]:
    """A primary with two standbys, and a table with a row."""
    folder = reachable_folder("esito-failover-")
    cluster = PostgresCluster(folder / "postgres")
    try:
        await cluster.start()
        await run(cluster, "CREATE TABLE kept (n int)")
        await run(cluster, "INSERT INTO kept VALUES (1)")
        yield cluster
    finally:
        await cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)


async def run(cluster: PostgresCluster, sql: str) -> object:
    connection = await asyncpg.connect(cluster.url)
    try:
        return await connection.fetchval(sql)
    finally:
        await connection.close()


async def setting(url: str, name: str) -> str:
    connection = await connect(url)
    try:
        return str(await connection.fetchval(f"SHOW {name}"))
    finally:
        await connection.close()


async def test_it_refuses_and_then_goes_on_by_a_decision(cluster: PostgresCluster) -> None:
    urls = [node.url for node in cluster.nodes]
    before = await setting(urls[1], "primary_conninfo")
    with pytest.raises(FailoverRefused, match="first answers and is a primary; stop it first"):
        await fail_over(urls)

    await cluster.node(0).kill()
    await cluster.node(2).kill()
    with pytest.raises(FailoverRefused, match="1 of 2 standbys answer, 2 are needed"):
        await fail_over(urls)
    assert await setting(urls[1], "primary_conninfo") == before, "a refusal changed something"

    done = await fail_over(urls, accept_loss=True)
    assert (done.primary, done.standbys) == (urls[1], [])
    assert await run(cluster, "SELECT n FROM kept") == 1
    await run(cluster, "INSERT INTO kept VALUES (2)")

    await cluster.node(0).rejoin(urls[1])
    assert await setting(urls[1], "synchronous_standby_names") == 'ANY 1 ("first")'
    await run(cluster, "INSERT INTO kept VALUES (3)")
    assert await run(cluster, "SELECT count(*) FROM kept") == 3


async def test_a_quorum_of_two_is_kept(cluster: PostgresCluster) -> None:
    urls = [node.url for node in cluster.nodes]
    await cluster.node(0).kill()
    await cluster.node(1).kill()
    with pytest.raises(FailoverRefused, match="no standby answers"):
        await fail_over(urls[:2], quorum=2)
    done = await fail_over(urls, quorum=2)  # each has everything, so one is enough
    assert done.primary == urls[2]
    for number in (0, 1):
        await cluster.node(number).rejoin(urls[2])
    async with in_time():
        while "standby1" not in await setting(urls[2], "synchronous_standby_names"):
            await asyncio.sleep(0.1)
    assert await run(cluster, "SELECT count(*) FROM kept") == 1


async def test_where_nothing_answers_there_is_nothing_to_promote(cluster: PostgresCluster) -> None:
    urls = [node.url for node in cluster.nodes]
    for node in cluster.nodes:
        await node.kill()
    with pytest.raises(FailoverRefused, match="no standby answers"):
        await fail_over(urls, accept_loss=True)
