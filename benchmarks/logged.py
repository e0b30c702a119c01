"""Receipts the long way: operator, gateway, spool, JetStream on three servers, worker, PostgreSQL."""

import asyncio
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import asyncpg

from benchmarks import many
from benchmarks.engines import nats, postgres
from benchmarks.receipt_peer import EACH
from benchmarks.row import Row
from benchmarks.server import FIRST_SMSC_ID, free_port, running, workplace
from benchmarks.settler import receipts
from esito.receipt_log.frames import Frame, encode
from esito.receipt_log.interface import LogUnavailable
from esito.receipt_log.jetstream import JetStreamLog
from esito_cluster.nats import NatsCluster

MESSAGES = 400
FRAME = 1000
"""Receipts of a frame, when many come at once."""
AT_ONCE = 8
GIVE_UP_AFTER = 120.0
ROUNDS = 3
"""The one in the middle counts, as a machine that others use too is slow now and then."""

BEGUN = "SELECT CASE WHEN is_called THEN last_value ELSE 0 END FROM trail_id"
MOVED = "SELECT count(*) FROM recipient WHERE state = 8"


class Through(NamedTuple):
    """Receipts a second, in one round."""

    acknowledged: float
    settled: float
    alone: float


def logged(folder: Path) -> list[Row]:
    """From the deliver_sm on a socket to the row in PostgreSQL, with new servers in each round."""
    folder.chmod(0o755)
    rounds = sorted((_through(folder / str(round_)) for round_ in range(ROUNDS)), key=lambda one: one.settled)
    acknowledged, settled, alone = rounds[ROUNDS // 2]
    against = f"the same frames appended alone {alone:,.0f} receipts/s"
    name = "durable receipts through JetStream, socket to"
    return [
        Row(f"{name} response", f"{acknowledged:,.0f}/s", f"{acknowledged / alone:.2f}", against),
        Row(f"{name} PostgreSQL", f"{settled:,.0f}/s", f"{settled / alone:.2f}", against),
    ]


def _through(folder: Path) -> Through:
    folder.mkdir()
    count = MESSAGES * EACH
    with postgres(folder / "logged") as (server, _), nats(folder / "logged") as cluster:
        url = server.url
        alone = asyncio.run(_append_alone(cluster, count))
        place = workplace(
            folder / "through",
            messages=MESSAGES,
            store=f'url = "{url}"\nsecret = "{"5e" * 32}"',
            sections=_log(cluster, folder / "spool"),
        )
        command = [sys.executable, "-m", "benchmarks.receipt_peer"]
        words = [str(place.smsc_port), str(count), str(FIRST_SMSC_ID), "16000", "afterwards"]
        with subprocess.Popen([*command, *words], stdout=subprocess.PIPE, text=True) as peer:
            output = peer.stdout
            if output is None or output.readline() != "listening\n":
                raise RuntimeError("the peer does not listen")
            with (
                running(place, "--role", "worker", port=free_port()),
                running(place, "--role", "gateway", port=free_port()),
            ):
                took = asyncio.run(_until_all_moved(url, count))
                result = json.loads(output.readline())
    if result["refused"]:
        raise RuntimeError(f"{result['refused']} receipts were refused")
    return Through(count / result["seconds"], count / took, alone)


def _log(cluster: NatsCluster, spool: Path) -> str:
    settings = {"url": ",".join(cluster.servers), "monitors": cluster.monitors, "spool": str(spool)}
    return "[bus]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in settings.items())


async def _until_all_moved(url: str, count: int) -> float:
    """Return the seconds from the first receipt in the trail to the last one; looking must cost next to nothing."""
    connection = await asyncpg.connect(url)
    began, moved = 0.0, 0
    while moved < count:
        begun = await connection.fetchval(BEGUN)
        began = began or (time.perf_counter() if begun else 0.0)
        if begun >= count:
            moved = await connection.fetchval(MOVED)
        if began and time.perf_counter() > began + GIVE_UP_AFTER:
            raise RuntimeError(f"{begun} of {count} receipts came to the store")
        await asyncio.sleep(0.05)
    ended = time.perf_counter()
    await connection.close()
    return ended - began


async def _append_alone(cluster: NatsCluster, count: int) -> float:
    """Append as many receipts in frames of the same size, eight under way at once, with nothing around it."""
    receipt_log = JetStreamLog(cluster.servers, monitors=cluster.monitors, stream="ALONE")
    await receipt_log.open()
    frame = encode(Frame("bench", 1, 1, tuple(receipts(0, 1, 2 * FRAME // many.EACH)[:FRAME])))
    under_way = asyncio.Semaphore(AT_ONCE)

    async def one() -> None:
        async with under_way:
            while True:
                try:
                    return await receipt_log.append(frame)
                except LogUnavailable:  # it has no leader just now, which costs what it costs
                    await asyncio.sleep(0.1)

    began = time.perf_counter()
    async with asyncio.timeout(GIVE_UP_AFTER):
        await asyncio.gather(*(one() for _ in range(count // FRAME)))
    took = time.perf_counter() - began
    await receipt_log.remove()
    await receipt_log.close()
    return count / took
