"""One TCP connection to an SMSC: octets in and out, timers, back-pressure.

`Session` decides what may be sent when, the owner what it means. A deliver_sm is answered
only once it is kept. Timers use the event loop's time, not the pushable clock of messages.
Responses are timed by a clock that stops while reading is paused: they may wait unread.
"""

import asyncio
import struct
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog

from esito.domain.retrying import GENERIC_NACK
from esito.smpp.bind_refusals import HINT, answered_amiss
from esito.smpp.codec import (
    COMMAND_OF,
    FrameBuffer,
    InvalidLength,
    InvalidPdu,
    RemoteProtocolError,
    decode_to_keep,
    deliver_sm_resp_bytes,
    encode,
)
from esito.smpp.connect import SmppSettings, abort, bind_request
from esito.smpp.pdu import (
    RESPONSE_BIT,
    BindResp,
    Command,
    DataSm,
    DataSmResp,
    DeliverSm,
    EnquireLink,
    EnquireLinkResp,
    GenericNack,
    Pdu,
    QuerySm,
    Status,
    SubmitSm,
    SubmitSmResp,
    Unbind,
    UnbindResp,
    status_name,
)
from esito.smpp.responses import ConnectionOwner, SubmitResponse, query_answered, without_queries
from esito.smpp.session import BindState, Request, Session, UnansweredSubmits

log = structlog.get_logger()

TICK = 0.25
"""Seconds between checks of deadlines; one timer per connection serves all of them."""

READ_AT_ONCE = 48 * 1024
"""Octets of one read: a few hundred receipts, two milliseconds of work."""

_SEQUENCE = struct.Struct(">I")

Deliver = Callable[[list[DeliverSm | DataSm]], Awaitable[list[int]]]
"""Keeps what one read brought; returns the command_status of each response."""


class SmppConnection(asyncio.BufferedProtocol):
    """A session on a socket."""

    def __init__(
        self, settings: SmppSettings, kind: str, owner: ConnectionOwner, deliver: Deliver, *, cautious: bool = False
    ) -> None:
        """`cautious`: have one submit_sm open at a time until one is answered, as no earlier one was."""
        self.settings = settings
        self.kind = kind
        self.session = Session()
        self.closed: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """Done when the connection is lost; holds the reason."""
        self.accepted: BindResp | None = None
        """The response that accepted the bind."""
        self._owner = owner
        self._deliver = deliver
        self._loop = asyncio.get_running_loop()
        self._frames = FrameBuffer()
        self._buffer = memoryview(bytearray(READ_AT_ONCE))
        self._transport: asyncio.Transport | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._behind_since: float | None = None
        self._behind_for = 0.0
        self._heard_at = self._quiet_since = self._loop.time()
        self._unfinished_since: float | None = None
        self._bind_asked_at = self._unbound_at = self._heard_at
        self._came_instead = ""
        self._submits = UnansweredSubmits(suspect=cautious)
        # Whether it submits nothing more; and whether it was left because no submit_sm was answered.
        self.leaving = self.unanswering = False
        self._why = ""
        self._unanswered = 0
        self._paused = self._peer_is_slow = False
        self._tasks: set[asyncio.Task[None]] = set()

    # -- the life of the socket -------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the bind request."""
        self._transport = transport  # type: ignore[assignment]  # create_connection gives a Transport
        self._heard_at = self._bind_asked_at = self._reading_time()
        sequence = self.session.ask(Command[f"BIND_{self.kind.upper()}"], None, self._heard_at)
        self._write(encode(bind_request(self.settings, self.kind, sequence)))
        self._timer = self._loop.call_later(TICK, self._tick)

    def connection_lost(self, exc: Exception | None) -> None:
        """Report every submit_sm whose response can no longer come."""
        if self._timer is not None:
            self._timer.cancel()
        lost = [
            SubmitResponse(request.token, None, error="the connection was lost")
            for request in without_queries(self.session.give_up())
            if request.command is Command.SUBMIT_SM
        ]
        self.session.bind = BindState.UNBOUND
        if lost:
            self._owner.answered(lost)
        if not self.closed.done():
            self.closed.set_result(self._why or (str(exc) if exc else "the SMSC closed the connection"))

    def close(self, why: str) -> None:
        """Drop the connection."""
        self._why = self._why or why
        abort(self._transport)

    async def unbind(self, patience: float, why: str) -> None:
        """Submit nothing more, wait for open responses, then unbind and close."""
        self.leaving = True
        self._why = self._why or why
        deadline = self._loop.time() + patience
        while self.session.outstanding and not self.closed.done() and self._loop.time() < deadline:
            await asyncio.sleep(0.01)
        while self._tasks and self._loop.time() < deadline:
            await asyncio.wait(self._tasks, timeout=max(0.0, deadline - self._loop.time()))
        if not self.closed.done() and self.session.bind not in {BindState.OPEN, BindState.UNBOUND}:
            self._write(encode(Unbind(sequence=self.session.ask(Command.UNBIND, None, self._reading_time()))))
            await asyncio.wait({self.closed}, timeout=max(0.1, deadline - self._loop.time()))
        if self._transport is not None:
            self._transport.close()

    def transport_info(self, name: str) -> Any:
        """Return asyncio's extra info on the socket, such as `ssl_object`; None when it is closed."""
        return None if self._transport is None else self._transport.get_extra_info(name)

    def _write(self, octets: bytes) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._quiet_since = self._loop.time()
            self._transport.write(octets)

    # -- what we send -----------------------------------------------------------------------

    @property
    def room(self) -> int:
        """How many submit_sm fit the window now."""
        if not self.session.bind.can_send or self._peer_is_slow or self.leaving:
            return 0
        return max(0, (1 if self._submits.one_at_a_time else self.settings.window) - self.session.outstanding)

    def submit(self, pdus: Sequence[tuple[SubmitSm | QuerySm, object]]) -> None:
        """Write these PDUs at once, each with its token."""
        now = self._reading_time()
        octets = []
        for pdu, token in pdus:
            sequence = self.session.ask(COMMAND_OF[type(pdu)], token, now)
            frame = encode(pdu)
            octets.append(frame[:12] + _SEQUENCE.pack(sequence) + frame[16:])
        self._write(b"".join(octets))

    # -- what comes -------------------------------------------------------------------------

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002  asyncio's signature
        """Lend the buffer of one read; its size bounds how long the event loop is held."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Handle the PDUs of one read; pass on responses together, and deliveries together."""
        data = bytes(self._buffer[:nbytes])
        self._heard_at = self._reading_time()
        self._quiet_since = self._loop.time()
        answers: list[SubmitResponse] = []
        deliveries: list[DeliverSm | DataSm] = []
        broken = None
        try:
            frames = self._frames.feed(data)
        except InvalidLength as error:
            frames, broken = error.frames, error
        # A read of a long stream mostly ends within a PDU, a different one each time.
        begun_before = None if frames else self._unfinished_since
        self._unfinished_since = None if self._frames.is_empty else begun_before or self._heard_at
        for frame in frames:
            try:
                self._take(decode_to_keep(frame), answers, deliveries)
            except InvalidPdu as error:
                self._refuse(error)
            except RemoteProtocolError as error:
                log.warning("smpp_out_of_turn", link=self.settings.name, reason=str(error))
                (sequence,) = _SEQUENCE.unpack_from(frame, 12)
                self._write(encode(GenericNack(sequence=sequence, status=Status.ESME_RINVBNDSTS)))
        if answers:
            self._owner.answered(answers)
        if deliveries:
            self._take_deliveries(deliveries)
        if broken is not None:
            self._not_smpp(data, broken)

    def _take(self, pdu: Pdu, answers: list[SubmitResponse], deliveries: list[DeliverSm | DataSm]) -> None:
        if self.session.bind is BindState.OPEN:
            self._came_instead = COMMAND_OF[type(pdu)].name.lower()
            if COMMAND_OF[type(pdu)] & RESPONSE_BIT:
                self._take_answer_to_bind(pdu)
                return
        if isinstance(pdu, DeliverSm | DataSm):
            self.session.receive(pdu)
            deliveries.append(pdu)
        elif isinstance(pdu, SubmitSmResp):
            self.session.receive(pdu)
            self._take_answer(pdu, answers)
        elif isinstance(pdu, GenericNack):
            self._take_nack(pdu, answers)
        elif isinstance(pdu, EnquireLink):
            self._write(encode(EnquireLinkResp(sequence=pdu.sequence)))
        elif isinstance(pdu, Unbind):
            self.session.receive(pdu)
            self._why = self._why or "the SMSC unbound"
            self._unbound_at = self._heard_at
            self._write(encode(UnbindResp(sequence=pdu.sequence)))
            # Open responses may still come; the tick closes the connection.
        elif not isinstance(pdu, BindResp):  # no bind of ours waits for one
            self.session.receive(pdu)
            query_answered(self.session.answered(pdu.sequence, COMMAND_OF[type(pdu)]), pdu)
            if isinstance(pdu, UnbindResp) and self._transport is not None:
                self._transport.close()

    def _take_answer(self, pdu: SubmitSmResp, answers: list[SubmitResponse]) -> None:
        request = self.session.answered(pdu.sequence, Command.SUBMIT_SM_RESP)
        if request is None:
            log.info("smpp_response_to_nothing", link=self.settings.name, sequence=pdu.sequence)
            return
        self._submits.answered(self._heard_at)
        answers.append(SubmitResponse(request.token, pdu.status, pdu.message_id))

    def _take_nack(self, pdu: GenericNack, answers: list[SubmitResponse]) -> None:
        status = pdu.status or Status.ESME_RUNKNOWNERR
        request = self.session.answered(pdu.sequence, Command.GENERIC_NACK)
        if request is not None and request.command is Command.SUBMIT_SM:
            self._submits.answered(self._heard_at)
            answers.append(SubmitResponse(request.token, status, error=GENERIC_NACK))
        query_answered(request, pdu)

    def _take_answer_to_bind(self, pdu: Pdu) -> None:
        """Take any response as that to the bind, our only request; some SMSCs use sequence numbers of their own."""
        if not isinstance(pdu, BindResp) or COMMAND_OF[type(pdu)] is not Command[f"BIND_{self.kind.upper()}_RESP"]:
            self._reject(*answered_amiss(pdu), hint=True)
            return
        if self.session.answered(pdu.sequence, COMMAND_OF[type(pdu)]) is None:
            log.warning("bind_resp_of_another_number", link=self.settings.name, sequence=pdu.sequence)
            self.session.answered_bind()
        self.session.receive(pdu)
        if pdu.status:
            unknown = pdu.status == Status.ESME_RINVCMDID
            self._reject(pdu.status, f"bind rejected: {status_name(pdu.status)}", hint=unknown)
        else:
            self.accepted = pdu
            self._owner.bound(self)

    def _reject(self, status: int | None, reason: str, *, hint: bool) -> None:
        if hint and self.kind == "transceiver":
            reason = f"{reason}; {HINT}"
        self._why = reason
        self.session.bind = BindState.UNBOUND  # ignore what else the same read brought
        self._owner.rejected(status, reason)
        self.close(reason)

    def _refuse(self, error: InvalidPdu) -> None:
        """Answer an unreadable PDU with generic_nack; the session goes on, unless it was the response to our bind."""
        log.warning("smpp_unreadable", link=self.settings.name, reason=str(error))
        if error.command_id & RESPONSE_BIT:
            if self.session.bind is BindState.OPEN:
                self._reject(None, f"bind answered by what cannot be read: {error}", hint=True)
        else:
            self._write(encode(GenericNack(sequence=error.sequence, status=error.status)))

    def _not_smpp(self, data: bytes, error: InvalidLength) -> None:
        http = data.startswith(b"HTTP")
        log.warning("not SMPP", link=self.settings.name, reason="an HTTP server answers here" if http else str(error))
        self.close("the peer does not speak SMPP" if http else str(error))

    # -- deliveries: answered after the commit, read no faster than they are kept ---------------

    def _take_deliveries(self, pdus: list[DeliverSm | DataSm]) -> None:
        self._unanswered += len(pdus)
        self._apply_back_pressure()
        task = self._loop.create_task(self._keep(pdus))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _keep(self, pdus: list[DeliverSm | DataSm]) -> None:
        try:
            statuses = await self._deliver(pdus)
        except Exception as error:
            log.exception("receipts_not_kept", link=self.settings.name, count=len(pdus), reason=repr(error))
            self.close("receipts could not be kept")
            return
        finally:
            self._unanswered -= len(pdus)
        self._write(
            b"".join(
                deliver_sm_resp_bytes(pdu.sequence, status)
                if isinstance(pdu, DeliverSm)
                else encode(DataSmResp(sequence=pdu.sequence, status=status))
                for pdu, status in zip(pdus, statuses, strict=True)
            )
        )
        self._apply_back_pressure()

    def pause_writing(self) -> None:
        """Stop reading too: the peer does not read what we write."""
        self._peer_is_slow = True
        self._apply_back_pressure()

    def resume_writing(self) -> None:
        """Read again, as the peer does."""
        self._peer_is_slow = False
        self._apply_back_pressure()
        self._owner.eased()

    def _apply_back_pressure(self) -> None:
        """Pause reading while too many deliveries are unanswered or the peer is slow."""
        if self._transport is None or self._transport.is_closing():
            return
        limit = self.settings.max_unanswered_receipts
        if self._behind_since is None and self._unanswered >= limit:
            self._behind_since = self._loop.time()
        elif self._behind_since is not None and self._unanswered <= limit // 2:
            self._behind_for += self._loop.time() - self._behind_since
            self._behind_since = None
        pause = self._peer_is_slow or self._behind_since is not None
        if pause and not self._paused:
            self._transport.pause_reading()
        elif self._paused and not pause:
            self._transport.resume_reading()
        self._paused = pause

    # -- deadlines --------------------------------------------------------------------------

    def _reading_time(self) -> float:
        """Return monotonic time, excluding the periods when reading was paused because we were behind."""
        return (self._loop.time() if self._behind_since is None else self._behind_since) - self._behind_for

    def _tick(self) -> None:
        now = self._reading_time()
        self._timer = self._loop.call_later(TICK, self._tick)
        settings = self.settings
        if self.session.bind is BindState.UNBOUND:
            self._report_overdue(now)
            keeping = self._tasks and now - self._unbound_at <= settings.response_timeout
            if not self.session.owes_answers and not keeping:
                self.close("unbound")
            return
        if self._unfinished_since is not None and now - self._unfinished_since > settings.response_timeout:
            self.close("a PDU was begun and not finished")
            return
        if self.session.bind is BindState.OPEN:
            if now - self._bind_asked_at > settings.bind_timeout:
                instead = f"; what came was {self._came_instead}" if self._came_instead else ""
                self.close(f"no answer to the bind{instead}")
            return
        self._check_overdue(now)
        if self._loop.time() - self._quiet_since >= settings.enquire_interval:
            sequence = self.session.ask(Command.ENQUIRE_LINK, None, now)
            self._write(encode(EnquireLink(sequence=sequence)))

    def _check_overdue(self, now: float) -> None:
        late, others = self._report_overdue(now)
        window, patience = self.settings.window, max(self.settings.response_timeout, self.settings.enquire_interval)
        if others:
            self.close("no answer to enquire_link")
        elif not late:
            return
        elif self._submits.overdue(late[0].asked_at, late[-1].asked_at, len(late), window=window, now=now):
            self.unanswering = True
            self._write(encode(Unbind(sequence=self.session.ask(Command.UNBIND, None, now))))
            self.close(f"no submit_sm was answered for {self.settings.response_timeout:g} s")
        elif now - self._heard_at > patience:
            self.close("the SMSC is silent")

    def _report_overdue(self, now: float) -> tuple[list[Request], list[Request]]:
        """Report overdue submit_sm as unanswered; return them, and the other overdue requests."""
        overdue = self.session.overdue(now - self.settings.response_timeout)
        late = [one for one in overdue if one.command is Command.SUBMIT_SM]
        if late:
            log.warning("submit_sm_unanswered", link=self.settings.name, count=len(late))
            self._owner.answered([SubmitResponse(one.token, None, error="no response in time") for one in late])
        return late, [one for one in without_queries(overdue) if one.command is not Command.SUBMIT_SM]
