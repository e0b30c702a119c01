"""The receipt log on NATS JetStream: one stream on the disks of three servers, one consumer shared by all workers."""

import asyncio
import socket
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from typing import Any, cast

import nats.errors
import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext, api
from nats.js.errors import APIError, NotFoundError, ServiceUnavailableError
from nats.js.errors import Error as JetStreamError

from esito.receipt_log.interface import Lag, LogFull, LogRecord, LogUnavailable, UnsafeLog
from esito.receipt_log.safety import verify

log = structlog.get_logger()

STREAM = "ESITO_RECEIPTS"
CONSUMER = "store"

ANSWER_WITHIN = 5.0
"""Seconds we wait for one answer; electing a new leader takes about as long."""

CONNECT_WITHIN = 10.0
"""Seconds within which one server must answer at the start; later we wait for ever."""

SILENT_MS = 4_000
"""Milliseconds for which TCP may leave sent octets unacknowledged before the connection counts as lost. Without it the
client waits a quarter of an hour for a server that is cut off, before it turns to another."""

GATHER_WITHIN = 0.02
"""Seconds we wait for more records after the first."""

APPENDED_WITHIN = 2.5
"""Seconds after which a record is sent once more: the first copy may have gone to a server that is cut off. Two
copies do no harm."""

HAND_OUT_AGAIN = 5.0
"""Seconds after which a worker's unacknowledged records go to another: it may have been killed."""

CATCH_UP_WITHIN = 15.0
"""Seconds within which a server that lags must catch up with the others during a replay."""

IN_WORK = 512
"""Records that all workers together may hold unacknowledged."""

KEPT_SECONDS = 72 * 3600.0

FULL = {10047, 10077, 10023}
"""Error codes of NATS: the server's storage is full, the stream is full, resources are short."""

_FAULTS = (nats.errors.Error, JetStreamError, OSError, asyncio.TimeoutError)


class JetStreamLog:
    """A `ReceiptLog` on a JetStream stream."""

    def __init__(
        self,
        servers: Sequence[str],
        *,
        monitors: Sequence[str] = (),
        stream: str = STREAM,
        replicas: int = 3,
        most: int = 4 << 30,
        allow_unsafe: bool = False,
    ) -> None:
        """Take the monitoring addresses of all servers as `monitors`, and the octets of the stream as `most`."""
        self._servers = list(servers)
        self._monitors = list(monitors)
        self._replicas = replicas
        self._name = stream
        self._subject = f"esito.{stream}"
        self._most = most
        self._allow_unsafe = allow_unsafe
        self._client = Client()
        self._stream: JetStreamContext = self._client.jetstream(timeout=ANSWER_WITHIN)
        self._consumer: JetStreamContext.PullSubscription | None = None
        self._taking = asyncio.Lock()
        self._closing = False

    async def open(self) -> None:
        """Connect, check the servers, and create the stream or check its configuration."""
        safe = None if self._allow_unsafe else await verify(self._monitors, replicas=self._replicas)
        try:
            async with asyncio.timeout(CONNECT_WITHIN):
                await self._connect()
            info = await self._make_stream()
            await self._make_consumer()
            if safe is not None and (unasked := _keepers(info) - safe):
                raise UnsafeLog(f"bus.monitors leaves out {', '.join(sorted(unasked))}, which keeps the stream")
        except _FAULTS as error:
            await self.close()
            raise LogUnavailable(f"the NATS servers at {', '.join(self._servers)} do not serve us: {error}") from error
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Disconnect."""
        self._closing = True
        with suppress(*_FAULTS):
            await self._client.close()

    async def _connect(self) -> None:
        await self._client.connect(
            self._servers,
            name="esito",
            error_cb=_note,
            disconnected_cb=self._note_disconnected,
            reconnected_cb=self._give_up_silent_connection,
            connect_timeout=2,
            reconnect_time_wait=0.25,  # type: ignore[arg-type]
            max_reconnect_attempts=-1,
            ping_interval=2,
            max_outstanding_pings=2,
        )
        await self._give_up_silent_connection()

    async def _give_up_silent_connection(self) -> None:
        """Let the kernel give up a silent connection."""
        writer = getattr(self._client._transport, "_io_writer", None)  # noqa: SLF001  the client shows it nowhere else
        found = writer.get_extra_info("socket") if writer is not None else None
        if found is not None:
            found.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, SILENT_MS)

    async def _note_disconnected(self) -> None:
        if not self._closing:
            log.warning("bus_disconnected")

    async def remove(self) -> None:
        """Delete the stream with all its records."""
        with suppress(NotFoundError):
            await self._stream.delete_stream(self._name)

    # -- making ---------------------------------------------------------------------------------

    async def _make_stream(self) -> api.StreamInfo:
        wanted = api.StreamConfig(
            name=self._name,
            subjects=[self._subject],
            retention=api.RetentionPolicy.LIMITS,
            storage=api.StorageType.FILE,
            num_replicas=self._replicas,
            max_bytes=self._most,
            max_age=KEPT_SECONDS,
            discard=api.DiscardPolicy.NEW,  # a full stream refuses new records and drops none
            deny_delete=True,
        )
        try:
            info = await _with_retries(self._stream.stream_info, self._name)
        except NotFoundError:
            return cast("api.StreamInfo", await _with_retries(self._stream.add_stream, wanted))
        for name in ("retention", "storage", "num_replicas", "discard"):
            is_, must = getattr(info.config, name), getattr(wanted, name)
            if is_ != must:
                raise UnsafeLog(f"the stream {self._name} has {name} = {is_!r}, not {must!r}")
        if info.config.max_bytes != self._most:
            info = await _with_retries(self._stream.update_stream, info.config.evolve(max_bytes=self._most))
        return cast("api.StreamInfo", info)

    async def _make_consumer(self) -> None:
        wanted = api.ConsumerConfig(
            durable_name=CONSUMER,
            deliver_policy=api.DeliverPolicy.ALL,
            ack_policy=api.AckPolicy.EXPLICIT,
            ack_wait=HAND_OUT_AGAIN,
            max_deliver=-1,
            max_ack_pending=IN_WORK,
        )
        await _with_retries(self._stream.add_consumer, self._name, wanted)
        self._consumer = await self._stream.pull_subscribe_bind(CONSUMER, self._name)

    # -- the gateway's side -----------------------------------------------------------------------

    async def append(self, record: bytes) -> None:
        """Append a record."""
        async with _answering():
            try:
                # Without a message id: if the server lost a record, it would take the retry for a duplicate, and
                # acknowledge what it does not have.
                await self._stream.publish(self._subject, record, timeout=APPENDED_WITHIN, stream=self._name)
            except APIError as error:
                kind = LogFull if error.err_code in FULL else LogUnavailable
                raise kind(f"the stream refuses: {error.description}") from error

    # -- the worker's side ------------------------------------------------------------------------

    async def take(self, limit: int, *, within: float) -> list[LogRecord]:
        """Return up to `limit` records."""
        if self._consumer is None:
            raise LogUnavailable("not connected")
        async with self._taking, _answering():  # two at a time would take each other's answers
            return [_record(message) for message in await self._fetch(self._consumer, limit, within)]

    async def _fetch(self, consumer: JetStreamContext.PullSubscription, limit: int, within: float) -> list[Msg]:
        """Wait for the first record, then take those that are there; one large fetch would wait for all of them."""
        found: list[Msg] = []
        with suppress(TimeoutError):
            found += await consumer.fetch(1, timeout=within)
            if limit > 1:
                found += await consumer.fetch(limit - 1, timeout=GATHER_WITHIN)
        return found

    async def done(self, records: Sequence[LogRecord]) -> None:
        """Acknowledge records; if that gets lost they come again, which is harmless."""
        await self._say(records, Msg.ack)

    async def again(self, records: Sequence[LogRecord]) -> None:
        """Ask the stream to deliver these records again."""
        await self._say(records, Msg.nak)

    async def _say(self, records: Sequence[LogRecord], word: Any) -> None:
        async with _answering():
            for record in records:
                await word(record.handle)

    # -- how it stands ----------------------------------------------------------------------------

    async def lag(self) -> Lag:
        """Return how many records wait and how full the stream is."""
        stream, consumer = await self._asked()
        waiting = (consumer.num_pending or 0) + (consumer.num_ack_pending or 0)
        return Lag(waiting=waiting, octets=stream.state.bytes, most=self._most)

    async def make_room(self) -> int:
        """Remove the older half of the acknowledged records if the stream is half full."""
        stream, consumer = await self._asked()
        done = consumer.ack_floor.stream_seq if consumer.ack_floor else 0
        count = (done - stream.state.first_seq + 1) // 2
        if stream.state.bytes * 2 < self._most or count <= 0:
            return 0
        async with _answering():
            await self._stream.purge_stream(self._name, seq=stream.state.first_seq + count)
        return int(count)

    async def _asked(self) -> tuple[api.StreamInfo, api.ConsumerInfo]:
        async with _answering():
            return await self._stream.stream_info(self._name), await self._stream.consumer_info(self._name, CONSUMER)

    async def since(self, at: int) -> AsyncIterator[list[LogRecord]]:
        """Yield all records of the stream from an instant on."""
        async with _answering():
            last = await self._newest_since(at)
            if not last:
                return
            reader = await self._reader_from(at)
            place, give_up = 0, time.monotonic() + CATCH_UP_WITHIN
            while place < last:
                try:
                    found = [_record(message) for message in await reader.fetch(64, timeout=2.0)]
                except (TimeoutError, ServiceUnavailableError) as error:
                    # The reader lives on one server: others may not know it yet, and that server may still lack
                    # records that a majority has.
                    if time.monotonic() > give_up:
                        raise LogUnavailable(f"the stream hands out nothing after record {place} of {last}") from error
                    await asyncio.sleep(0.05)
                    continue
                place, give_up = found[-1].place, time.monotonic() + CATCH_UP_WITHIN
                yield found
            await reader.unsubscribe()

    async def _newest_since(self, at: int) -> int:
        """Return the position of the newest record; 0 if there is none from this instant on."""
        try:
            newest = await _with_retries(self._stream.get_last_msg, self._name, self._subject)
        except NotFoundError:
            return 0
        return int(newest.seq) if newest.time.timestamp() * 1000 >= at else 0

    async def _reader_from(self, at: int) -> JetStreamContext.PullSubscription:
        about = api.ConsumerConfig(
            deliver_policy=api.DeliverPolicy.BY_START_TIME,
            opt_start_time=datetime.fromtimestamp(at / 1000, UTC),
            ack_policy=api.AckPolicy.NONE,
            inactive_threshold=60.0,
            num_replicas=1,
        )
        reader: JetStreamContext.PullSubscription = await _with_retries(
            self._stream.pull_subscribe, self._subject, stream=self._name, config=about
        )
        return reader

    async def check(self) -> list[str]:
        """Return a sentence for every danger to the records of the stream."""
        async with _answering():
            cluster = (await self._stream.stream_info(self._name)).cluster
        if self._replicas == 1:
            return []
        if cluster is None or not cluster.leader:
            return [f"the stream {self._name} has no leader"]
        behind = [peer for peer in cluster.replicas or [] if not peer.current or peer.offline]
        return [f"the replica {peer.name} of the stream {self._name} is {_state(peer)}" for peer in behind]


@asynccontextmanager
async def _answering() -> AsyncIterator[None]:
    """Turn every failure of an answer into LogUnavailable, and let a cancelled task end.

    The client uses asyncio.wait_for, which before Python 3.12 swallows a cancellation that comes together with the
    answer: a task that retries would never end.
    """
    try:
        yield
    except _FAULTS as error:
        _end_if_cancelled()
        raise LogUnavailable(f"the stream does not answer: {error!r}") from error
    _end_if_cancelled()


def _end_if_cancelled() -> None:
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _state(peer: api.PeerInfo) -> str:
    return "offline" if peer.offline else f"behind by {peer.lag or 0} records"


def _keepers(info: api.StreamInfo) -> set[str]:
    if info.cluster is None:
        return set()
    names = [info.cluster.leader, *(peer.name for peer in info.cluster.replicas or [])]
    return {name for name in names if name}


def _record(message: Msg) -> LogRecord:
    about = message.metadata
    at = int(about.timestamp.timestamp() * 1000)
    return LogRecord(data=message.data, place=about.sequence.stream, at=at, handle=message)


async def _with_retries(ask: Any, *words: Any, **more: Any) -> Any:
    """Call the servers, and retry while they elect a leader."""
    for _ in range(20):
        try:
            return await ask(*words, **more)
        except NotFoundError:
            raise
        except (TimeoutError, APIError, nats.errors.Error) as error:
            if isinstance(error, APIError) and error.code not in {500, 503}:
                raise
            await asyncio.sleep(0.5)
    return await ask(*words, **more)


async def _note(error: Exception) -> None:
    log.debug("bus_error", reason=repr(error))
