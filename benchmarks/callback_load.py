"""Callbacks: how fast a server empties its outbox, and how fast a bare aiohttp loop posts to the same receiver.

As a program it is that loop: `python -m benchmarks.callback_load URL COUNT` prints posts per second.
"""

import asyncio
import contextlib
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from typing import NamedTuple

import aiohttp

from benchmarks.server import FIRST_SMSC_ID, Workplace, free_port, resident_mb, running
from esito.app.wiring import open_store
from esito.config import load
from esito.domain.receipt import DeliveryReceipt
from esito.domain.states import MessageState
from esito.store.interface.link_store import LinkRecord
from esito.store.interface.store import Store
from esito.store.sqlite.sqlite_connection import connect

CONNECTIONS = 64
BODY = (
    b'{"status": "delivered", "msgId": "4712", "date": 1795430400, "phone": "+33611111111", "cost": "0.045", '
    b'"currency": "EUR", "tag": null}'
)


class Delivered(NamedTuple):
    """What one run came to."""

    per_second: float
    bare_per_second: float
    used_mb: float


def measure(place: Workplace, count: int) -> Delivered:
    """Let the operator deliver `count` recipients that wait for it, then a server empty the outbox."""
    with receiving() as port:
        asyncio.run(_fill_outbox(place, count, f"http://127.0.0.1:{port}/dlr"))
        before = _bare(port, count)
        began = _answered(port)
        with running(place) as process:
            seconds = _seconds_until(port, began, count)
            used = resident_mb(process)
        after = _bare(port, count)
    _must_be_done(place, count)
    return Delivered(count / seconds, (before + after) / 2, used)


@contextlib.contextmanager
def receiving() -> Iterator[int]:
    """Run the receiver until the block ends; yield its port."""
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.callback_receiver", str(port)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            if process.stdout is None or process.stdout.readline() != "listening\n":
                raise RuntimeError("the receiver does not listen")
            yield port
        finally:
            process.terminate()


async def _fill_outbox(place: Workplace, count: int, url: str) -> None:
    """Have every message wish for callbacks, and every segment delivered."""
    connection = connect(place.folder / "esito.db")
    connection.execute("UPDATE message SET url_dlr = ?", (url,))
    connection.close()
    settings = load(place.config, {})
    async with open_store(settings) as store:
        await store.register_links([LinkRecord(name="bench", operator="bench")])
        await _deliver(store, count)


async def _deliver(store: Store, count: int) -> None:
    now = int(time.time() * 1000)
    for first in range(FIRST_SMSC_ID, FIRST_SMSC_ID + count, 1000):
        await store.apply_receipts(
            [
                DeliveryReceipt(
                    link="bench",
                    smsc_message_id=str(number),
                    state=MessageState.DELIVERED,
                    stat="DELIVRD",
                    error_code="000",
                    received_at=now,
                    raw=b"",
                )
                for number in range(first, min(first + 1000, FIRST_SMSC_ID + count))
            ]
        )


def _answered(port: int) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/count", timeout=10) as answer:
        return int(answer.read())


def _seconds_until(port: int, before: int, count: int) -> float:
    """Return the seconds from the first callback to the last."""
    began = 0.0
    give_up = time.perf_counter() + 120
    while time.perf_counter() < give_up:
        made = _answered(port) - before
        if made and not began:
            began, first = time.perf_counter(), made
        if made >= count:
            return (time.perf_counter() - began) * count / max(count - first, 1)
        time.sleep(0.01)
    raise RuntimeError(f"{_answered(port) - before} of {count} callbacks came")


def _must_be_done(place: Workplace, count: int) -> None:
    connection = connect(place.folder / "esito.db", read_only=True)
    done = connection.execute("SELECT count(*) FROM callback WHERE phase = 4").get
    connection.close()
    if done != count:
        raise RuntimeError(f"{done} of {count} callbacks are done")


def _bare(port: int, count: int) -> float:
    command = [sys.executable, "-m", "benchmarks.callback_load", f"http://127.0.0.1:{port}/dlr", str(count)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


async def _post_all(url: str, count: int) -> float:
    left = iter(range(count))
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def post() -> None:
            for _ in left:
                async with session.post(url, data=BODY, headers={"content-type": "application/json"}) as answer:
                    await answer.read()

        began = time.perf_counter()
        await asyncio.gather(*[post() for _ in range(CONNECTIONS)])
        return count / (time.perf_counter() - began)


if __name__ == "__main__":
    print(asyncio.run(_post_all(sys.argv[1], int(sys.argv[2]))))
