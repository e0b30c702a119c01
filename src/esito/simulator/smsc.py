"""The simulator: an SMPP 3.4 server that behaves like an operator.

It takes messages in `intake`, keeps what is to be said of them in `outbox`, and
tells every session when to go. What waits is kept in memory: a simulator that
is stopped forgets it.
"""

import asyncio
import contextlib
import hmac
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from zoneinfo import ZoneInfo

import msgspec

from esito.domain.timing import Clock
from esito.simulator.behaviour import Behaviour
from esito.simulator.intake import Intake
from esito.simulator.journal import Journal
from esito.simulator.message import Message
from esito.simulator.outbox import Outbox
from esito.simulator.session import RECEIVING, Binding, Session
from esito.simulator.trouble import Scheduled, Trouble, TroubleKind, Troubles
from esito.smpp import pdu as p
from esito.smpp.pdu import Status

RESPONSE_AFTER = 0.1
"""Seconds a submit_sm_resp waits when its receipt left first, but on another connection."""

FAREWELL = 1.0
"""Seconds we wait for unbind_resp before we hang up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmscSettings:
    """What one simulator is told."""

    host: str = "127.0.0.1"
    port: int = 2775
    """0 picks a free one."""
    system_id: str = "smsc"
    password: str = "secret"  # noqa: S105  the simulator's well-known password
    behaviour: Behaviour = field(default_factory=Behaviour)
    journal: Path | None = None
    journal_texts: bool = False
    """Write the octets of the texts too."""
    window: int = 1000
    """How many deliver_sm may be unanswered in one session."""
    response_timeout: float = 10.0
    """Seconds after which a deliver_sm is sent again, and an ESME that does not answer enquire_link is dropped."""
    retry_pause: float = 5.0
    """Seconds before a refused deliver_sm is sent again; after ESME_RMSGQFUL the session rests as long."""
    enquire_link_after: float = 30.0
    """Seconds of silence after which we ask whether the ESME is there; one that never binds is dropped."""
    max_submit_per_second: int = 0
    """More are answered ESME_RTHROTTLED; 0: what the behaviour says."""
    seed: int | None = None
    """The same seed gives the same fates and delays; None: different ones every time."""


class Smsc:
    """An SMSC that accepts the binds of one system_id."""

    def __init__(self, settings: SmscSettings, *, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._sessions: dict[int, Session] = {}
        self._numbers = count(1)
        self._server: asyncio.Server | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._going_wrong: list[asyncio.Task[None]] = []
        self._troubles = Troubles()
        self._journal: Journal
        self._intake: Intake
        self._outbox: Outbox
        self.port = settings.port
        self.system_id = settings.system_id

    # -- the life of the server ------------------------------------------------------------------

    async def start(self) -> None:
        """Listen. Raises OSError when the port is taken."""
        settings, behaviour = self._settings, self._settings.behaviour
        if settings.max_submit_per_second:
            behaviour = msgspec.structs.replace(behaviour, submit_per_second=settings.max_submit_per_second)
        self._journal = Journal(settings.journal)
        self._intake = Intake(
            behaviour,
            clock=self._clock,
            journal=self._journal,
            seed=settings.seed,
            texts=settings.journal_texts,
        )
        self._outbox = Outbox(
            clock=self._clock,
            journal=self._journal,
            zone=ZoneInfo(behaviour.zone),
            window=settings.window,
            response_timeout=settings.response_timeout,
            retry_pause=settings.retry_pause,
        )
        try:
            await self._listen()
        except OSError:
            self._outbox.close()
            self._journal.close()
            raise
        loop = asyncio.get_running_loop()
        self._keeper = loop.create_task(self._keep())
        self._going_wrong = [loop.create_task(self._plague(one)) for one in behaviour.troubles]

    async def stop(self) -> None:
        """Unbind every session, hang up, and forget what waits; does nothing when not started."""
        if self._keeper is None:
            return
        server, self._server = self._server, None
        if server is not None:
            server.close()
        for task in [self._keeper, *self._going_wrong]:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._keeper = None
        self._outbox.close()
        sessions = list(self._sessions.values())
        for session in sessions:
            if session.binding is Binding.OPEN:
                session.close()
            else:
                session.send(p.Unbind(sequence=next(session.sequences)))
                session.flush()
        if sessions:
            await asyncio.wait([session.gone for session in sessions], timeout=FAREWELL)
            for session in sessions:
                session.abort()
            await asyncio.wait([session.gone for session in sessions])
        if server is not None:
            await server.wait_closed()
        self._journal.close()

    # -- what goes wrong ---------------------------------------------------------------------------

    async def begin(self, trouble: Trouble) -> None:
        """Let something go wrong, until `end`; what happens at once has happened when this returns."""
        self._troubles.begin(trouble)
        match trouble.kind:
            case TroubleKind.UNBIND:
                self._unbind()
            case TroubleKind.DISCONNECT:
                self.disconnect()
            case TroubleKind.AWAY if self._server is not None:
                server, self._server = self._server, None
                server.close()
                self.disconnect()
                await server.wait_closed()
            case _:
                pass

    async def end(self, trouble: Trouble) -> None:
        """Let it be over. Raises OSError when somebody else listens where this one did before it was away."""
        self._troubles.end(trouble)
        away = any(one.kind is TroubleKind.AWAY for one in self._troubles.now)
        if self._server is None and self._keeper is not None and not away:
            await self._listen()

    @property
    def troubles(self) -> frozenset[Trouble]:
        """What goes wrong now."""
        return self._troubles.now

    def disconnect(self) -> None:
        """Hang up on every ESME without a word, as a failing network does; they may bind again."""
        for session in list(self._sessions.values()):
            session.abort()

    # -- what is counted ---------------------------------------------------------------------------

    @property
    def submitted(self) -> int:
        """How many messages were taken."""
        return self._intake.submitted

    @property
    def receipts_sent(self) -> int:
        """How many times a receipt was sent, repetitions included."""
        return self._outbox.receipts_sent

    @property
    def receipts_acknowledged(self) -> int:
        """How many receipts the ESME has answered with ESME_ROK."""
        return self._outbox.receipts_acknowledged

    @property
    def waiting(self) -> int:
        """How many receipts and replies are scheduled, due, or not yet answered; after `stop`, how many were left."""
        return self._outbox.waiting

    @property
    def bound_sessions(self) -> int:
        """How many sessions are bound."""
        return sum(session.binding is not Binding.OPEN for session in self._sessions.values())

    # -- what sessions ask (session.Exchange) --------------------------------------------------------

    def opened(self, session: Session) -> None:
        """Know the session."""
        self._sessions[session.number] = session

    def admit(self, bind: p.Bind) -> int:
        """Check who binds."""
        if bind.system_id != self._settings.system_id:
            return Status.ESME_RINVSYSID
        if not hmac.compare_digest(bind.password.encode(), self._settings.password.encode()):
            return Status.ESME_RINVPASWD
        return self._troubles.bind_status()

    def bound(self, session: Session) -> None:
        """Send what has waited for this bind, after its response."""
        if session.binding in RECEIVING:
            self._outbox.join(session)

    def submit(self, session: Session, pdu: p.SubmitSm | p.DataSm) -> None:
        """Take or refuse the message and answer; a black hole does neither."""
        if self._troubles.swallows():
            return
        if refusal := self._troubles.status_of(pdu):
            self._intake.refuse(pdu, refusal, session=session.number)
            session.answer(pdu, status=refusal)
            return
        taken = self._intake.take(pdu, session=session.number)
        if not isinstance(taken, Message):
            session.answer(pdu, status=taken)
            return
        used = self._outbox.expect(taken)
        if used is None or used is session:
            session.answer(pdu, message_id=taken.response_id)
            return
        # Two connections keep no order between them: the response waits until the receipt is surely there.
        used.flush()
        asyncio.get_running_loop().call_later(RESPONSE_AFTER, self._answer_late, session, pdu, taken.response_id)

    def query(self, pdu: p.QuerySm) -> p.QuerySmResp:
        """Answer query_sm."""
        return self._intake.query(pdu)

    def answered(self, session: Session, sequence: int, status: int) -> None:
        """Note the answer to a deliver_sm."""
        self._outbox.answered(session, sequence, status)

    def settle(self, session: Session) -> None:
        """Write: what was noted first, then the answers."""
        self._outbox.pump()
        self._journal.flush()
        session.flush()

    def resume(self) -> None:
        """Send what the congestion held up."""
        self._outbox.pump()

    def closed(self, session: Session) -> None:
        """Forget the session; what it did not answer goes elsewhere."""
        self._outbox.leave(session)
        self._sessions.pop(session.number, None)

    # -- ours ------------------------------------------------------------------------------------------

    def _session(self) -> Session:
        return Session(self, next(self._numbers))

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._session, self._settings.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def _unbind(self) -> None:
        for session in list(self._sessions.values()):
            if session.binding is not Binding.OPEN:
                session.send(p.Unbind(sequence=next(session.sequences)))
                session.flush()

    async def _plague(self, one: Scheduled) -> None:
        """Let a trouble of the script come and go."""
        await asyncio.sleep(one.after)
        while True:
            await self.begin(one.trouble)
            await asyncio.sleep(one.lasts)
            await self.end(one.trouble)
            if not one.every:
                return
            await asyncio.sleep(max(0.0, one.every - one.lasts))

    def _answer_late(self, session: Session, pdu: p.SubmitSm | p.DataSm, message_id: str) -> None:
        session.answer(pdu, message_id=message_id)
        session.flush()

    async def _keep(self) -> None:
        """Look after what was not answered and who is not heard."""
        settings = self._settings
        every = min(1.0, settings.response_timeout / 4, settings.retry_pause / 4, settings.enquire_link_after / 4)
        asked: dict[int, float] = {}
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(every)
            self._outbox.look_after()
            now = loop.time()
            for session in list(self._sessions.values()):
                asked_at = asked.pop(session.number, None)
                if session.heard_at > now - settings.enquire_link_after:
                    continue
                if session.binding is Binding.OPEN:
                    session.abort()
                elif asked_at is None or asked_at < session.heard_at:
                    session.send(p.EnquireLink(sequence=next(session.sequences)))
                    session.flush()
                    asked[session.number] = now
                elif asked_at + settings.response_timeout < now:
                    session.abort()
                else:
                    asked[session.number] = asked_at
