"""One SMPP session as the SMSC sees it: what an ESME may ask in which state, and what it is answered.

The session knows the protocol; its `Exchange` knows messages and receipts. What arrives in
one read is answered in one write.
"""

import asyncio
from collections.abc import Iterator
from itertools import count
from typing import Protocol, cast

from esito.simulator.simulated_message import PendingDelivery
from esito.smpp import pdu as p
from esito.smpp.codec import COMMAND_OF, FrameBuffer, InvalidLength, InvalidPdu, decode, encode
from esito.smpp.connect import abort
from esito.smpp.pdu import RESPONSE_BIT, Pdu, Status
from esito.smpp.session import BindState

SMPP_3_4 = b"\x34"


BINDS: dict[type[Pdu], tuple[BindState, type[p.BindResp]]] = {
    p.BindTransmitter: (BindState.BOUND_TX, p.BindTransmitterResp),
    p.BindReceiver: (BindState.BOUND_RX, p.BindReceiverResp),
    p.BindTransceiver: (BindState.BOUND_TRX, p.BindTransceiverResp),
}


class Exchange(Protocol):
    """What a session needs of the SMSC."""

    system_id: str

    def opened(self, session: "EsmeSession") -> None:
        """Note that an ESME has connected."""

    def admit(self, bind: p.Bind) -> int:
        """Return the command_status of the bind response."""

    def bound(self, session: "EsmeSession") -> None:
        """Note that the session is bound; its response goes before whatever is sent now."""

    def submit(self, session: "EsmeSession", pdu: p.SubmitSm | p.DataSm) -> None:
        """Answer the message."""

    def query(self, pdu: p.QuerySm) -> p.QuerySmResp:
        """Return the answer to query_sm."""

    def answered(self, session: "EsmeSession", sequence: int, status: int) -> None:
        """Note the response to a deliver_sm."""

    def settle(self, session: "EsmeSession") -> None:
        """Write what is to be written: everything that was read is handled."""

    def resume(self) -> None:
        """Go on sending: a congested session can be written to again."""

    def closed(self, session: "EsmeSession") -> None:
        """Note that the connection is lost, or the session unbound."""


class EsmeSession(asyncio.Protocol):
    """A connection of an ESME."""

    def __init__(self, exchange: Exchange, number: int) -> None:
        self._exchange = exchange
        self._loop = asyncio.get_running_loop()
        self._buffer = FrameBuffer()
        self._out: list[bytes] = []
        self._transport: asyncio.Transport | None = None
        self.number = number
        self.state = BindState.OPEN
        self.sequences: Iterator[int] = count(1)
        self.outstanding: dict[int, tuple[PendingDelivery, float]] = {}
        self.paused_until = 0.0
        self.congested = False
        self.heard_at = self._loop.time()
        """When the ESME last sent anything, in the loop's seconds."""
        self.gone: asyncio.Future[None] = self._loop.create_future()

    # -- the connection ----------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        self._transport = cast("asyncio.Transport", transport)
        self._exchange.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  the reason changes nothing
        """End."""
        self._leave()
        self._transport = None
        self.gone.set_result(None)

    def pause_writing(self) -> None:
        """Stop reading from an ESME that does not read what we write."""
        self.congested = True
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        """Go on."""
        self.congested = False
        if self._transport is not None:
            self._transport.resume_reading()
            self._exchange.resume()

    def data_received(self, data: bytes) -> None:
        """Answer every whole PDU that has arrived."""
        self.heard_at = self._loop.time()
        try:
            for frame in self._buffer.feed(data):
                if self.state is not BindState.UNBOUND:
                    self._take(frame)
        except InvalidLength:
            # The frames that follow cannot be told apart.
            self.send(p.GenericNack(status=Status.ESME_RINVCMDLEN))
            self.close()
        self._exchange.settle(self)

    # -- what the exchange and the outbox use --------------------------------------------------

    def send(self, pdu: Pdu) -> None:
        """Write a PDU at the next flush."""
        self._out.append(encode(pdu))

    def flush(self) -> None:
        """Write."""
        if self._transport is not None and self._out:
            self._transport.write(b"".join(self._out))
        self._out.clear()

    def close(self) -> None:
        """Write what is left, then hang up."""
        self._leave()
        self.flush()
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Hang up at once, as a network failure does."""
        abort(self._transport)

    # -- PDUs ----------------------------------------------------------------------------------

    def _leave(self) -> None:
        if self.state is not BindState.UNBOUND:
            self.state = BindState.UNBOUND
            self._exchange.closed(self)

    def _take(self, frame: bytes) -> None:
        try:
            pdu = decode(frame)
        except InvalidPdu as error:
            # A response that cannot be read is no answer; the request will be repeated.
            if not error.command_id & RESPONSE_BIT:
                self.send(p.GenericNack(sequence=error.sequence, status=error.status))
            return
        match pdu:
            case p.SubmitSm() | p.DataSm():
                self._submit(pdu)
            case p.DeliverSmResp() | p.DataSmResp() | p.GenericNack():
                # A generic_nack is never ESME_ROK, whatever its command_status.
                status = pdu.status or (Status.ESME_RSYSERR if isinstance(pdu, p.GenericNack) else 0)
                self._exchange.answered(self, pdu.sequence, status)
            case p.EnquireLink():
                self.send(p.EnquireLinkResp(sequence=pdu.sequence))
            case p.EnquireLinkResp():
                pass  # that it came is enough
            case p.Bind():
                self._bind(pdu)
            case p.Unbind():
                self.send(p.UnbindResp(sequence=pdu.sequence, status=self._unless_open()))
                self.close()
            case p.UnbindResp():
                self.close()
            case p.QuerySm():
                allowed = self.state.can_send
                refusal = p.QuerySmResp(sequence=pdu.sequence, status=Status.ESME_RINVBNDSTS)
                self.send(self._exchange.query(pdu) if allowed else refusal)
            case _ if not COMMAND_OF[type(pdu)] & RESPONSE_BIT:
                # deliver_sm: only the SMSC may send it.
                self.send(p.GenericNack(sequence=pdu.sequence, status=Status.ESME_RINVCMDID))

    def _unless_open(self) -> int:
        return Status.ESME_RINVBNDSTS if self.state is BindState.OPEN else Status.ESME_ROK

    def _submit(self, pdu: p.SubmitSm | p.DataSm) -> None:
        if self.state.can_send:
            self._exchange.submit(self, pdu)
        else:
            self.answer(pdu, status=Status.ESME_RINVBNDSTS)

    def answer(self, pdu: p.SubmitSm | p.DataSm, *, status: int = 0, message_id: str = "") -> None:
        """Write the response to a message."""
        kind = p.SubmitSmResp if isinstance(pdu, p.SubmitSm) else p.DataSmResp
        self.send(kind(sequence=pdu.sequence, status=status, message_id=message_id))

    def _bind(self, pdu: p.Bind) -> None:
        bound, kind = BINDS[type(pdu)]
        if self.state is not BindState.OPEN:
            self.send(kind(sequence=pdu.sequence, status=Status.ESME_RALYBND))
            return
        status = self._exchange.admit(pdu)
        if status:
            self.send(kind(sequence=pdu.sequence, status=status))
            self.close()
            return
        self.state = bound
        tlvs: dict[int, bytes] = {p.Tag.SC_INTERFACE_VERSION: SMPP_3_4}
        self.send(kind(sequence=pdu.sequence, system_id=self._exchange.system_id, tlvs=tlvs))
        self._exchange.bound(self)
