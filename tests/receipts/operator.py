"""A scripted operator: an SMSC of which a case says how it answers and what it sends."""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from esito.smpp import pdu as p
from esito.smpp.codec import FrameBuffer, InvalidPdu, decode, encode
from tests.kit.patience import PATIENCE

RESPONSES: dict[type[p.Pdu], type[p.BindResp]] = {
    p.BindTransceiver: p.BindTransceiverResp,
    p.BindTransmitter: p.BindTransmitterResp,
    p.BindReceiver: p.BindReceiverResp,
}


@dataclass(slots=True, kw_only=True)
class Answering:
    """How the operator answers the segments of one recipient."""

    ids: list[str | None]
    status: int = 0
    status_of: dict[int, int] = field(default_factory=dict)
    throttled: int = 0
    queue_full: int = 0
    body: str = ""
    delay: float = 0.0
    held: bool = False
    """Say nothing until the scene says so."""
    order: list[int] = field(default_factory=list)
    """The parts in the order in which they are answered, once all have come."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """A submit_sm that came."""

    at: float
    to: str
    part: int
    pdu: p.SubmitSm
    status: int | None


class Session:
    """One connection of an ESME."""

    def __init__(self, operator: "Operator", reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.operator = operator
        self.reader, self.writer = reader, writer
        self.kind: type[p.Pdu] | None = None
        self.muted = False
        """True: it says nothing any more, as if every packet were dropped."""
        self.over = False
        self.came: list[p.Pdu] = []
        self._frames = FrameBuffer()

    @property
    def receives(self) -> bool:
        return self.kind in {p.BindTransceiver, p.BindReceiver} and not self.over and not self.muted

    def say(self, pdu: p.Pdu) -> None:
        self.write(encode(pdu))

    def write(self, octets: bytes) -> None:
        if not self.over and not self.muted:
            self.writer.write(octets)

    def hang_up(self) -> None:
        self.over = True
        self.writer.transport.abort()

    async def run(self) -> None:
        try:
            while data := await self.reader.read(1 << 18):
                if not self.muted:
                    for frame in self._frames.feed(data):
                        self._take(frame)
        except (ConnectionError, OSError):
            pass
        self.over = True
        self.writer.close()

    def _take(self, frame: bytes) -> None:
        try:
            pdu = decode(frame)
        except InvalidPdu:
            return
        self.came.append(pdu)
        if type(pdu) in RESPONSES:
            self.operator.loop.call_later(self.operator.bind_delay, self._bind, pdu)
        elif isinstance(pdu, p.EnquireLink):
            self.say(p.EnquireLinkResp(sequence=pdu.sequence))
        elif isinstance(pdu, p.Unbind):
            self.say(p.UnbindResp(sequence=pdu.sequence))
        elif isinstance(pdu, p.SubmitSm):
            self.operator.take_submit(self, pdu)
        elif isinstance(pdu, p.DeliverSmResp | p.DataSmResp):
            self.operator.acks[self, pdu.sequence] = pdu
        self.operator.news.set()

    def _bind(self, pdu: p.Pdu) -> None:
        refused = self.operator.refuses is not None and self.operator.refuses(type(pdu))
        self.say(RESPONSES[type(pdu)](sequence=pdu.sequence, status=0x0D if refused else 0, system_id="operator"))
        if not refused:
            self.kind = type(pdu)
        self.operator.news.set()


class Operator:
    """The SMSC behind one link."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.port = 0
        self.sessions: list[Session] = []
        self.submitted: list[Submitted] = []
        self.acks: dict[tuple[Session, int], p.Pdu] = {}
        self.answering: dict[str, deque[Answering]] = {}
        """By number, oldest first; the last one stays."""
        self.refuses: Callable[[type[p.Pdu]], bool] | None = None
        self.bind_delay = 0.0
        self.throttle_every = 0
        self.slow_answers = 0.0
        self.outstanding = self.most_outstanding = 0
        self.news = asyncio.Event()
        self.held: list[tuple[Session, p.Pdu]] = []
        self._parts: dict[str, dict[int, tuple[Session, p.SubmitSm, p.Pdu]]] = {}
        self._sequence = 0
        self._count = 0
        self._server: asyncio.Server | None = None

    # -- being there ----------------------------------------------------------------------------

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for session in self.sessions:
            session.hang_up()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = Session(self, reader, writer)
        self.sessions.append(session)
        await session.run()

    @property
    def receivers(self) -> list[Session]:
        return [session for session in self.sessions if session.receives]

    async def receiver(self, index: int = 0, *, within: float = PATIENCE) -> Session:
        """Return a session bound for receiving, once there is one."""
        await self.until(lambda: len(self.receivers) > index, within)
        return self.receivers[index]

    async def until(self, true: Callable[[], object], within: float) -> None:
        async with asyncio.timeout(within):
            while not true():
                self.news.clear()
                try:
                    async with asyncio.timeout(0.05):
                        await self.news.wait()
                except TimeoutError:
                    pass

    def next_sequence(self) -> int:
        self._sequence += 1
        return self._sequence

    # -- answering ------------------------------------------------------------------------------

    def take_submit(self, session: Session, pdu: p.SubmitSm) -> None:
        to = pdu.destination_addr
        part = pdu.short_message[5] if pdu.esm_class & p.EsmClass.UDHI else 1
        self.outstanding += 1
        self.most_outstanding = max(self.most_outstanding, self.outstanding)
        self._count += 1
        plans = self.answering.get(to)
        if not plans:
            return
        plan = plans[0]
        answer = self._answer(plan, pdu, part)
        self.submitted.append(Submitted(time.monotonic(), to, part, pdu, answer.status))
        if plan.held:
            self.held.append((session, answer))
        elif plan.order:
            self._in_order(plan, to, part, (session, pdu, answer))
        else:
            self.loop.call_later(plan.delay + self.slow_answers, self._respond, session, answer)

    def _answer(self, plan: Answering, pdu: p.SubmitSm, part: int) -> p.Pdu:
        status = plan.status_of.get(part, plan.status)
        if plan.throttled:
            plan.throttled -= 1
            status = p.Status.ESME_RTHROTTLED
        elif plan.queue_full:
            plan.queue_full -= 1
            status = p.Status.ESME_RMSGQFUL
        elif self.throttle_every and self._count % self.throttle_every == 0:
            status = p.Status.ESME_RTHROTTLED
        message_id = "" if status else plan.ids[min(part, len(plan.ids)) - 1] or ""
        if plan.body == "with_body":
            message_id = "12345678"
        return p.SubmitSmResp(sequence=pdu.sequence, status=status, message_id=message_id)

    def _in_order(self, plan: Answering, to: str, part: int, one: tuple[Session, p.SubmitSm, p.Pdu]) -> None:
        parts = self._parts.setdefault(to, {})
        parts[part] = one
        if len(parts) == len(plan.order):
            for number in plan.order:
                session, _, answer = parts[number]
                self._respond(session, answer)

    def _respond(self, session: Session, answer: p.Pdu) -> None:
        self.outstanding -= 1
        session.say(answer)

    def release(self) -> None:
        """Say what was held back."""
        held, self.held = self.held, []
        for session, answer in held:
            self._respond(session, answer)

    # -- asking ---------------------------------------------------------------------------------

    def said(self, kind: type[p.Pdu]) -> list[p.Pdu]:
        """Return what the ESME said, of one kind, over all sessions."""
        return [pdu for session in self.sessions for pdu in session.came if type(pdu) is kind]

    def accepted(self, to: str) -> list[Submitted]:
        return [one for one in self.submitted if one.to == to and one.status == 0]
