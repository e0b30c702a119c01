"""The simulator: an SMPP 3.4 server that behaves like an operator.

`submissions` accepts messages, `outbox` sends their receipts, and every ESME has an
`esme_session`. Everything is in memory: a simulator that is stopped forgets it.
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
from esito.simulator.esme_session import EsmeSession
from esito.simulator.journal import Journal
from esito.simulator.outbox import Outbox
from esito.simulator.simulated_message import Message
from esito.simulator.submissions import Submissions
from esito.simulator.trouble import Scheduled, Trouble, TroubleKind, Troubles
from esito.smpp import pdu as p
from esito.smpp.pdu import Status
from esito.smpp.session import BindState

RESPONSE_AFTER = 0.1
"""Seconds a submit_sm_resp waits if its receipt left first on another connection."""

FAREWELL = 1.0
"""Seconds to wait for unbind_resp before closing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmscSettings:
    """The settings of one simulator."""

    host: str = "127.0.0.1"
    port: int = 2775
    """0 picks a free one."""
    system_id: str = "smsc"
    password: str = "secret"  # noqa: S105  the simulator's well-known password
    behaviour: Behaviour = field(default_factory=Behaviour)
    journal: Path | None = None
    journal_texts: bool = False
    """Whether the journal has the octets of texts."""
    window: int = 1000
    """deliver_sm that may be unanswered in one session."""
    response_timeout: float = 10.0
    """Seconds after which a deliver_sm is sent again, or an ESME that does not answer enquire_link is dropped."""
    retry_pause: float = 5.0
    """Seconds before a refused deliver_sm is sent again; after ESME_RMSGQFUL the session pauses as long."""
    enquire_link_after: float = 30.0
    """Seconds of silence after which enquire_link is sent; an ESME that has not bound by then is dropped."""
    max_submit_per_second: int = 0
    """More are answered ESME_RTHROTTLED; 0: as the behaviour says."""
    seed: int | None = None
    """The same seed gives the same fates and delays; None: different ones each time."""


class Smsc:
    """An SMSC that accepts the binds of one system_id."""

    def __init__(self, settings: SmscSettings, *, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._sessions: dict[int, EsmeSession] = {}
        self._numbers = count(1)
        self._server: asyncio.Server | None = None
        self._keeper: asyncio.Task[None] | None = None
        self._trouble_tasks: list[asyncio.Task[None]] = []
        self._troubles = Troubles()
        self._journal: Journal
        self._submissions: Submissions
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
        self._submissions = Submissions(
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
        self._trouble_tasks = [loop.create_task(self._run_trouble(one)) for one in behaviour.troubles]

    async def stop(self) -> None:
        """Unbind every session, close, and forget what waits; do nothing if not started."""
        if self._keeper is None:
            return
        server, self._server = self._server, None
        if server is not None:
            server.close()
        for task in [self._keeper, *self._trouble_tasks]:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self._keeper = None
        self._outbox.close()
        sessions = list(self._sessions.values())
        for session in sessions:
            if session.state is BindState.OPEN:
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
        """Switch a trouble on, until `end`; its immediate effects are done when this returns."""
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
        """Switch a trouble off. Raises OSError if the port was taken while the simulator was away."""
        self._troubles.end(trouble)
        away = any(one.kind is TroubleKind.AWAY for one in self._troubles.now)
        if self._server is None and self._keeper is not None and not away:
            await self._listen()

    @property
    def troubles(self) -> frozenset[Trouble]:
        """The current troubles."""
        return self._troubles.now

    def disconnect(self) -> None:
        """Drop every connection without unbind, as a failing network does; ESMEs may bind again."""
        for session in list(self._sessions.values()):
            session.abort()

    # -- what is counted ---------------------------------------------------------------------------

    @property
    def submitted(self) -> int:
        """Messages accepted."""
        return self._submissions.submitted

    @property
    def receipts_sent(self) -> int:
        """Receipts sent, repetitions included."""
        return self._outbox.receipts_sent

    @property
    def receipts_acknowledged(self) -> int:
        """Receipts that the ESME answered with ESME_ROK."""
        return self._outbox.receipts_acknowledged

    @property
    def waiting(self) -> int:
        """Receipts and replies that are scheduled, due, or not yet answered; after `stop`, those that were left."""
        return self._outbox.waiting

    @property
    def bound_sessions(self) -> int:
        """Sessions that are bound."""
        return sum(session.state is not BindState.OPEN for session in self._sessions.values())

    # -- what sessions ask (esme_session.Exchange) --------------------------------------------------------

    def opened(self, session: EsmeSession) -> None:
        """Register the session."""
        self._sessions[session.number] = session

    def admit(self, bind: p.Bind) -> int:
        """Check system_id and password."""
        if bind.system_id != self._settings.system_id:
            return Status.ESME_RINVSYSID
        if not hmac.compare_digest(bind.password.encode(), self._settings.password.encode()):
            return Status.ESME_RINVPASWD
        return self._troubles.bind_status()

    def bound(self, session: EsmeSession) -> None:
        """Send what waited for this bind, after its response."""
        if session.state.can_receive:
            self._outbox.join(session)

    def submit(self, session: EsmeSession, pdu: p.SubmitSm | p.DataSm) -> None:
        """Accept or refuse the message, and respond; a black hole does nothing."""
        if self._troubles.swallows():
            return
        if refusal := self._troubles.status_of(pdu):
            self._submissions.refuse(pdu, refusal, session=session.number)
            session.answer(pdu, status=refusal)
            return
        taken = self._submissions.take(pdu, session=session.number)
        if not isinstance(taken, Message):
            session.answer(pdu, status=taken)
            return
        used = self._outbox.expect(taken)
        if used is None or used is session:
            session.answer(pdu, message_id=taken.response_id)
            return
        # Two connections have no common order: the response waits until the receipt has surely arrived.
        used.flush()
        asyncio.get_running_loop().call_later(RESPONSE_AFTER, self._answer_late, session, pdu, taken.response_id)

    def query(self, pdu: p.QuerySm) -> p.QuerySmResp:
        """Answer query_sm."""
        return self._submissions.query(pdu)

    def answered(self, session: EsmeSession, sequence: int, status: int) -> None:
        """Note the response to a deliver_sm."""
        self._outbox.answered(session, sequence, status)

    def settle(self, session: EsmeSession) -> None:
        """Write the journal first, then the responses."""
        self._outbox.pump()
        self._journal.flush()
        session.flush()

    def resume(self) -> None:
        """Send what waited for a congested session."""
        self._outbox.pump()

    def closed(self, session: EsmeSession) -> None:
        """Forget the session; what it did not answer is sent on another one."""
        self._outbox.leave(session)
        self._sessions.pop(session.number, None)

    # -- ours ------------------------------------------------------------------------------------------

    def _session(self) -> EsmeSession:
        return EsmeSession(self, next(self._numbers))

    async def _listen(self) -> None:
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(self._session, self._settings.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    def _unbind(self) -> None:
        for session in list(self._sessions.values()):
            if session.state is not BindState.OPEN:
                session.send(p.Unbind(sequence=next(session.sequences)))
                session.flush()

    async def _run_trouble(self, one: Scheduled) -> None:
        """Switch a scripted trouble on and off."""
        await asyncio.sleep(one.after)
        while True:
            await self.begin(one.trouble)
            await asyncio.sleep(one.lasts)
            await self.end(one.trouble)
            if not one.every:
                return
            await asyncio.sleep(max(0.0, one.every - one.lasts))

    def _answer_late(self, session: EsmeSession, pdu: p.SubmitSm | p.DataSm, message_id: str) -> None:
        session.answer(pdu, message_id=message_id)
        session.flush()

    async def _keep(self) -> None:
        """Send again what was not answered; check ESMEs that are silent."""
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
                if session.state is BindState.OPEN:
                    session.abort()
                elif asked_at is None or asked_at < session.heard_at:
                    session.send(p.EnquireLink(sequence=next(session.sequences)))
                    session.flush()
                    asked[session.number] = now
                elif asked_at + settings.response_timeout < now:
                    session.abort()
                else:
                    asked[session.number] = asked_at
