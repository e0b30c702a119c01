"""A scripted operator: an SMSC of which a case says how it answers and what it sends."""

import asyncio
import time
from collections import deque
from collections.abc import Callable

from esito.smpp import pdu as p
from esito.smpp.codec import FrameBuffer, InvalidPdu, decode, encode
from tests.kit.patience import PATIENCE
from tests.kit.serving import Serving
from tests.receipts.answering import Answering, Known, Late, Submitted, nth, response_octets, submit_sm_resp

QUERY_FAILED = 0x67
"""ESME_RQUERYFAIL."""

RESPONSES: dict[type[p.Pdu], type[p.BindResp]] = {
    p.BindTransceiver: p.BindTransceiverResp,
    p.BindTransmitter: p.BindTransmitterResp,
    p.BindReceiver: p.BindReceiverResp,
}


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
        self._unread = self._unsaid = b""

    @property
    def receives(self) -> bool:
        return self.kind in {p.BindTransceiver, p.BindReceiver} and not self.over and not self.muted

    def say(self, pdu: p.Pdu) -> None:
        self.write(encode(pdu))

    def write(self, octets: bytes) -> None:
        if self.over or self.muted:
            return
        if self.operator.stopped:
            self._unsaid += octets
        else:
            self.writer.write(octets)

    def hang_up(self) -> None:
        self.over = True
        self.writer.transport.abort()

    async def run(self) -> None:
        try:
            while data := await self.reader.read(1 << 18):
                if self.operator.stopped:
                    self._unread += data
                else:
                    self._read(data)
        except (ConnectionError, OSError):
            pass
        self.over = True

    def _read(self, data: bytes) -> None:
        if not self.muted:
            for frame in self._frames.feed(data):
                self._take(frame)

    def go_on(self) -> None:
        """Do what a process does that was stopped: read what has come, and say what it had to say."""
        unread, self._unread = self._unread, b""
        unsaid, self._unsaid = self._unsaid, b""
        self.write(unsaid)
        if not self.over:
            self._read(unread)

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
        elif isinstance(pdu, p.QuerySm):
            self.operator.take_query(self, pdu)
        elif isinstance(pdu, p.DeliverSmResp | p.DataSmResp):
            self.operator.acks[self, pdu.sequence] = pdu
        self.operator.news.set()

    def _bind(self, pdu: p.Pdu) -> None:
        status = self.operator.bind_status(type(pdu))
        self.say(RESPONSES[type(pdu)](sequence=pdu.sequence, status=status, system_id="operator"))
        if not status:
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
        self.refusals: deque[int] = deque()
        """command_status of the next binds; the last one stays until it is taken away."""
        self.refused_binds = 0
        self.known: dict[str, Known] = {}
        """What is said of an id that is asked for; `""`: of every id that has no line of its own."""
        self.given: set[str] = set()
        self.stopped = False
        """As by SIGSTOP: connections are still taken, by its kernel; nothing is read or said."""
        self.bind_delay = 0.0
        self.throttle_every = 0
        self.slow_answers = 0.0
        self.outstanding = self.most_outstanding = 0
        self.answers_after = 0
        """Answers nothing until so many submit_sm wait for it: however slow the machine, so many do once."""
        self.news = asyncio.Event()
        self.held: list[tuple[Session, p.SubmitSmResp, Answering, int]] = []
        self.late: list[tuple[Session, p.SubmitSmResp, str]] = []
        """Late answers, and after what they come."""
        self.said_late: list[p.Pdu] = []
        self.lost = 0
        """Responses that were never given."""
        self._parts: dict[str, dict[int, tuple[Session, p.SubmitSmResp]]] = {}
        self._sequence = 0
        self._count = 0
        self._serving: Serving | None = None

    # -- being there ----------------------------------------------------------------------------

    async def open(self) -> None:
        self._serving = Serving(self._accept, port=self.port)
        self.port = self._serving.port

    async def close(self) -> None:
        for session in self.sessions:
            session.hang_up()
        if self._serving is not None:
            await self._serving.end()
            self._serving = None

    def stop(self) -> None:
        """Stop, as by SIGSTOP."""
        self.stopped = True

    def go_on(self) -> None:
        """Go on, as by SIGCONT."""
        self.stopped = False
        for session in self.sessions:
            session.go_on()

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

    def bind_status(self, kind: type[p.Pdu]) -> int:
        """Return how a bind is answered."""
        if self.refusals:
            self.refused_binds += 1
            return self.refusals.popleft() if len(self.refusals) > 1 else self.refusals[0]
        return p.Status.ESME_RBINDFAIL if self.refuses is not None and self.refuses(kind) else 0

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
        plan.tries[part] += 1
        answer = self._answer(plan, pdu, part)
        self.submitted.append(Submitted(time.monotonic(), to, part, pdu, answer.status))
        late = plan.late
        if late is not None and plan.tries[part] == late.attempt:
            self.late.append((session, self._late_answer(late, plan, answer, part), late.after))
        elif plan.lost and plan.tries[part] == 1:
            self.lost += 1
        elif plan.held:
            self.held.append((session, answer, plan, part))
        elif plan.order:
            self._in_order(plan, to, part, (session, answer))
        elif self.most_outstanding < self.answers_after:
            self.held.append((session, answer, plan, part))
        else:
            self.loop.call_later(plan.delay + self.slow_answers, self._respond, session, answer, plan, part)
            if self.answers_after:
                self.answers_after = 0
                self.release()
        self.say_late(f"try{plan.tries[part]}_submitted")

    def _answer(self, plan: Answering, pdu: p.SubmitSm, part: int) -> p.SubmitSmResp:
        status = plan.status_of.get(part, plan.status)
        attempt = plan.tries[part]
        if attempt <= len(plan.first):
            status = plan.first[attempt - 1]
        elif plan.throttled:
            plan.throttled -= 1
            status = p.Status.ESME_RTHROTTLED
        elif plan.queue_full:
            plan.queue_full -= 1
            status = p.Status.ESME_RMSGQFUL
        elif self.throttle_every and self._count % self.throttle_every == 0:
            status = p.Status.ESME_RTHROTTLED
        given = nth(plan.ids, part)
        message_id = given if given and not status else ""
        if plan.body == "with_body":
            message_id = "12345678"
        if message_id:
            self.given.add(message_id)
        sequence = pdu.sequence if plan.sequence is None else plan.sequence
        return p.SubmitSmResp(sequence=sequence, status=status, message_id=message_id)

    def _late_answer(self, late: Late, plan: Answering, answer: p.Pdu, part: int) -> p.SubmitSmResp:
        usual = nth(plan.ids, part)
        message_id = "" if late.status else late.message_id or usual or ""
        return p.SubmitSmResp(sequence=answer.sequence, status=late.status, message_id=message_id)

    def say_late(self, what: str) -> None:
        """Say the late answers that waited for this."""
        waiting, self.late = self.late, []
        for session, answer, after in waiting:
            if after == what:
                self.said_late.append(answer)
                session.write(submit_sm_resp(answer))
            else:
                self.late.append((session, answer, after))

    def take_query(self, session: Session, pdu: p.QuerySm) -> None:
        """Answer as the case says; else ENROUTE for what we know, and ESME_RQUERYFAIL for what we do not."""
        said = self.known.get(pdu.message_id) or self.known.get("")
        if said is None:
            said = Known() if pdu.message_id in self.given else Known(status=QUERY_FAILED)
        if said.silent:
            return
        session.say(
            p.QuerySmResp(
                sequence=pdu.sequence,
                status=said.status,
                message_id="" if said.status else pdu.message_id,
                final_date=said.final_date,
                message_state=said.message_state,
                error_code=said.error_code,
            )
        )

    def _in_order(self, plan: Answering, to: str, part: int, one: tuple[Session, p.SubmitSmResp]) -> None:
        parts = self._parts.setdefault(to, {})
        parts[part] = one
        if len(parts) == len(plan.order):
            for number in plan.order:
                self._respond(*parts[number], plan, number)

    def _respond(self, session: Session, answer: p.SubmitSmResp, plan: Answering, part: int) -> None:
        self.outstanding -= 1
        octets = nth(plan.octets, part)
        session.write(submit_sm_resp(answer) if octets is None else response_octets(octets, answer))
        if not answer.status:
            self.say_late(f"try{plan.tries[part]}_accepted")

    def release(self) -> None:
        """Say what was held back."""
        held, self.held = self.held, []
        for one in held:
            self._respond(*one)

    # -- asking ---------------------------------------------------------------------------------

    def said(self, kind: type[p.Pdu]) -> list[p.Pdu]:
        """Return what the ESME said, of one kind, over all sessions."""
        return [pdu for session in self.sessions for pdu in session.came if type(pdu) is kind]

    def taken(self, to: str) -> list[Submitted]:
        """Return the submit_sm for a number, without those told to wait."""
        wait = {p.Status.ESME_RTHROTTLED, p.Status.ESME_RMSGQFUL}
        return [one for one in self.submitted if one.to == to and one.status not in wait]
