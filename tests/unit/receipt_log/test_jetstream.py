"""The log of receipts on real NATS servers: what it keeps, hands out, refuses, and what it is not trusted with."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from esito.receipt_log.interface import LogFull, LogRecord, LogUnavailable, UnsafeLog
from esito.receipt_log.jetstream import STREAM, JetStreamLog
from esito.receipt_log.safety import faults
from esito_cluster.nats import NatsCluster
from tests.kit.nats import log_on, nats_servers
from tests.kit.needs import needs
from tests.kit.patience import A_MOMENT, A_TRY, PATIENCE, in_time, moment

pytestmark = [pytest.mark.anyio, needs("nats")]


@pytest.fixture
async def one(tmp_path: Path) -> AsyncIterator[NatsCluster]:
    async with nats_servers(tmp_path, 1) as cluster:
        yield cluster


@pytest.fixture
async def three(tmp_path: Path) -> AsyncIterator[NatsCluster]:
    async with nats_servers(tmp_path) as cluster:
        yield cluster


async def appending(receipt_log: JetStreamLog) -> None:
    await receipt_log.append(b"another")


async def taking(receipt_log: JetStreamLog) -> None:
    await receipt_log.again(await receipt_log.take(1, within=A_TRY))


async def all_of(receipt_log: JetStreamLog, count: int) -> list[LogRecord]:
    found: list[LogRecord] = []
    async with in_time():
        while len(found) < count:
            found += await receipt_log.take(100, within=A_TRY)
    return found


async def test_what_was_appended_is_handed_out_once(one: NatsCluster) -> None:
    async with log_on(one) as receipt_log:
        for number in range(5):
            await receipt_log.append(b"record %d" % number)
        taken = await all_of(receipt_log, 5)
        assert [record.data for record in taken] == [b"record %d" % number for number in range(5)]
        assert [record.place for record in taken] == [1, 2, 3, 4, 5]
        assert abs(taken[0].at - time.time() * 1000) < 60_000
        await receipt_log.done(taken)
        assert await receipt_log.take(10, within=A_MOMENT) == []
        async with in_time():
            while (await receipt_log.lag()).waiting:
                await asyncio.sleep(0.05)


async def test_what_is_not_done_comes_again(one: NatsCluster) -> None:
    async with log_on(one) as receipt_log:
        await receipt_log.append(b"record")
        taken = await all_of(receipt_log, 1)
        assert (await receipt_log.lag()).waiting == 1
        await receipt_log.again(taken)
        assert [record.data for record in await all_of(receipt_log, 1)] == [b"record"]


@pytest.mark.parametrize("ask", [JetStreamLog.lag, JetStreamLog.make_room, JetStreamLog.check, appending, taking])
async def test_who_is_cancelled_in_the_moment_of_an_answer_ends(
    one: NatsCluster, monkeypatch: pytest.MonkeyPatch, ask: Callable[[JetStreamLog], Awaitable[object]]
) -> None:
    async def again_and_again(receipt_log: JetStreamLog) -> None:
        while True:
            with suppress(LogUnavailable):
                await ask(receipt_log)
            await asyncio.sleep(0)

    async with log_on(one) as receipt_log:
        await receipt_log.append(b"record")
        answered = receipt_log._client._process_msg

        async def cancelled_when_answered(*words: Any) -> None:
            await answered(*words)
            asking.cancel()

        monkeypatch.setattr(receipt_log._client, "_process_msg", cancelled_when_answered)
        asking = asyncio.ensure_future(again_and_again(receipt_log))
        await asyncio.wait({asking}, timeout=PATIENCE)
        assert asking.cancelled()


async def test_who_is_cancelled_in_the_moment_of_a_failure_ends(
    one: NatsCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with log_on(one) as receipt_log:

        async def cancelled_and_failed(_: str) -> None:
            asking.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(0)
            raise TimeoutError

        monkeypatch.setattr(receipt_log._stream, "stream_info", cancelled_and_failed)
        asking = asyncio.ensure_future(receipt_log.lag())
        await asyncio.wait({asking}, timeout=PATIENCE)
        assert asking.cancelled()


async def test_a_full_log_refuses_and_drops_nothing(one: NatsCluster) -> None:
    async with log_on(one, most=100_000) as receipt_log:
        kept = await _appended_until_full(receipt_log)
        assert len(await all_of(receipt_log, kept)) == kept >= 5
        assert (await receipt_log.lag()).filled > 0.8


async def test_room_is_made_of_what_is_done_with_alone(one: NatsCluster) -> None:
    async with log_on(one, most=100_000) as receipt_log:
        for _ in range(8):
            await receipt_log.append(bytes(10_000))
        assert await receipt_log.make_room() == 0
        await receipt_log.done((await all_of(receipt_log, 8))[:6])
        async with in_time():
            while not (removed := await receipt_log.make_room()):
                await asyncio.sleep(0.05)
        assert removed == 3
        await receipt_log.append(bytes(10_000))


async def test_everything_since_an_instant_can_be_read_again(one: NatsCluster) -> None:
    async with log_on(one) as receipt_log:
        await receipt_log.append(b"before")
        await asyncio.sleep(0.05)
        instant = int(time.time() * 1000)
        for number in range(100):
            await receipt_log.append(b"%d" % number)
        await receipt_log.done(await all_of(receipt_log, 101))
        again = [record.data async for some in receipt_log.since(instant) for record in some]
        assert again == [b"%d" % number for number in range(100)]
        assert [some async for some in receipt_log.since(instant + 3_600_000)] == []


async def test_what_was_only_just_appended_can_be_read_again_from_whichever_replica(three: NatsCluster) -> None:
    """A reader lives on one server, which may be behind the others by what a majority has acknowledged."""
    async with log_on(three) as receipt_log:
        for number in range(1, 61):
            await receipt_log.append(bytes(200_000))
            assert sum([len(some) async for some in receipt_log.since(0)]) == number


async def test_a_server_that_syncs_lazily_is_refused(tmp_path: Path) -> None:
    async with nats_servers(tmp_path, 1, sync="2m") as cluster:
        with pytest.raises(UnsafeLog, match="does not say `sync_interval: always`"):
            async with log_on(cluster):
                pass
        receipt_log = JetStreamLog(cluster.servers, replicas=1, allow_unsafe=True)  # unless we are told to do without
        await receipt_log.open()
        await receipt_log.close()


async def test_a_server_that_cannot_be_asked_is_refused(one: NatsCluster) -> None:
    for monitors, why in ([], "names 0 of the 1"), (["http://127.0.0.1:9"], "does not say whether it syncs always"):
        receipt_log = JetStreamLog(one.servers, monitors=monitors, replicas=1)
        with pytest.raises(UnsafeLog, match=why):
            await receipt_log.open()


async def test_a_stream_that_is_kept_otherwise_is_refused(three: NatsCluster) -> None:
    async with log_on(three):
        pass
    receipt_log = JetStreamLog(three.servers, monitors=three.monitors, replicas=1)
    with pytest.raises(UnsafeLog, match="has num_replicas = 3, not 1"):
        await receipt_log.open()
    assert receipt_log._client.is_closed
    async with log_on(three, most=1 << 28) as larger:  # its size may be changed
        assert (await larger.lag()).most == 1 << 28
    twice = JetStreamLog(three.servers, monitors=[three.monitors[0]] * 3)
    with pytest.raises(UnsafeLog, match=r"leaves out nats2, nats3"):
        await twice.open()
    assert twice._client.is_closed


async def test_a_server_that_does_not_run_is_named(tmp_path: Path) -> None:
    receipt_log = JetStreamLog(["nats://127.0.0.1:9"], replicas=1, allow_unsafe=True)
    with pytest.raises(LogUnavailable, match=r"127\.0\.0\.1:9"):
        async with in_time():
            await receipt_log.open()


@pytest.mark.parametrize(
    ("told", "found"),
    [
        ({"version": "2.12.2", "jetstream": {"config": {"sync_always": True}}}, []),
        ({"version": "2.13.0-RC.1", "jetstream": {"config": {"sync_always": True}}}, []),
        ({"version": "2.11.9", "jetstream": {"config": {"sync_always": True}}},
         ["has release 2.11.9; 2.12.2 or later is needed"]),
        ({"version": "2.15.1", "jetstream": {}}, ["has no JetStream"]),
        ({"version": "2.15.1", "jetstream": {"config": {}}}, ["does not say `sync_interval: always`"]),
        ({"version": "2.15.1", "jetstream": {"config": {"sync_always": True}}, "max_payload": 65536},
         ["has max_payload = 65536; 1048576 is needed"]),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_server_is_said(told: dict[str, object], found: list[str]) -> None:
    assert faults(told) == found


async def test_nothing_that_was_acknowledged_is_lost_with_the_leader(
    three: NatsCluster, record_property: Callable[[str, object], None]
) -> None:
    async with log_on(three) as receipt_log:
        kept: list[bytes] = []
        longest = 0.0

        async def append(writer: int) -> None:
            nonlocal longest
            for number in range(150):
                record, began = b"%d-%d" % (writer, number), moment()
                while True:
                    try:
                        await receipt_log.append(record)
                        break
                    except LogUnavailable:
                        await asyncio.sleep(0.05)
                kept.append(record)
                longest = max(longest, moment() - began)

        writing = asyncio.gather(*map(append, range(8)))
        while len(kept) < 300:
            await asyncio.sleep(0.01)
        leader = await three.leader_of(STREAM)
        assert leader is not None
        await leader.process.kill()
        async with in_time():
            await writing
        found = {record.data for record in await _everything(receipt_log)}
        assert set(kept) <= found
        assert any("offline" in sentence or "behind" in sentence for sentence in await receipt_log.check())
        record_property("outage_seconds", round(longest, 1))


async def _appended_until_full(receipt_log: JetStreamLog) -> int:
    for kept in range(100):
        try:
            await receipt_log.append(bytes(10_000))
        except LogFull:
            return kept
    raise AssertionError("it never got full")


async def _everything(receipt_log: JetStreamLog) -> list[LogRecord]:
    return [record async for some in receipt_log.since(0) for record in some]
