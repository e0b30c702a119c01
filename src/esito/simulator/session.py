"""One SMPP session seen from the SMSC: what may be asked in which state, and who answers it.

The session knows the protocol; the `Exchange` it belongs to knows messages and receipts.
Whatever arrives in one read is answered in one write.
"""

import asyncio
from collections.abc import Iterator
from enum import Enum
from itertools import count
from typing import Protocol, cast

from esito.simulator.message import Delivery
from esito.smpp import pdu as p
from esito.smpp.codec import COMMAND_OF, FrameBuffer, InvalidLength, InvalidPdu, decode, encode
from esito.smpp.connect import abort
from esito.smpp.pdu import RESPONSE_BIT, Pdu, Status

SMPP_3_4 = b"\x34"


class Binding(Enum):
    """The session states of SMPP 3.4 (2.2)."""

    OPEN = "open"
    BOUND_TX = "transmitter"
    BOUND_RX = "receiver"
    BOUND_TRX = "transceiver"
    UNBOUND = "unbound"


SENDING = {Binding.BOUND_TX, Binding.BOUND_TRX}
RECEIVING = {Binding.BOUND_RX, Binding.BOUND_TRX}

BINDS: dict[type[Pdu], tuple[Binding, type[p.BindResp]]] = {
    p.BindTransmitter: (Binding.BOUND_TX, p.BindTransmitterResp),
    p.BindReceiver: (Binding.BOUND_RX, p.BindReceiverResp),
    p.BindTransceiver: (Binding.BOUND_TRX, p.BindTransceiverResp),
}


class Exchange(Protocol):
    """What a session asks of the SMSC."""

    system_id: str

    def opened(self, session: "Session") -> None:
        """Take note that an ESME has connected."""

    def admit(self, bind: p.Bind) -> int:
        """Return the command_status of the bind response."""

    def bound(self, session: "Session") -> None:
        """Take note that the session is bound; its response comes before whatever is sent now."""

    def submit(self, session: "Session", pdu: p.SubmitSm | p.DataSm) -> None:
        """Answer the message."""

    def query(self, pdu: p.QuerySm) -> p.QuerySmResp:
        """Return the answer to query_sm."""

    def answered(self, session: "Session", sequence: int, status: int) -> None:
        """Take note of the answer to a deliver_sm."""

    def settle(self, session: "Session") -> None:
        """Write what there is to write: all that was read is dealt with."""

    def resume(self) -> None:
        """Go on sending: a session that was congested can be written to again."""

    def closed(self, session: "Session") -> None:
        """Take note that the connection is gone, or the session unbound."""


class Session(asyncio.Protocol):
    """A connection of an ESME."""

    def __init__(self, exchange: Exchange, number: int) -> None:
        self._exchange = exchange
        self._loop = asyncio.get_running_loop()
        self._buffer = FrameBuffer()
        self._out: list[bytes] = []
        self._transport: asyncio.Transport | None = None
        self.number = number
        self.binding = Binding.OPEN
        self.sequences: Iterator[int] = count(1)
        self.outstanding: dict[int, tuple[Delivery, float]] = {}
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
        """Read no more from an ESME that does not read what we write."""
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
                if self.binding is not Binding.UNBOUND:
                    self._take(frame)
        except InvalidLength:
            # Nothing that follows could be told apart.
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
        if self.binding is not Binding.UNBOUND:
            self.binding = Binding.UNBOUND
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
                # generic_nack is no ESME_ROK whatever its command_status says.
                status = pdu.status or (Status.ESME_RSYSERR if isinstance(pdu, p.GenericNack) else 0)
                self._exchange.answered(self, pdu.sequence, status)
            case p.EnquireLink():
                self.send(p.EnquireLinkResp(sequence=pdu.sequence))
            case p.EnquireLinkResp():
                pass  # having heard it is all there is to it
            case p.Bind():
                self._bind(pdu)
            case p.Unbind():
                self.send(p.UnbindResp(sequence=pdu.sequence, status=self._unless_open()))
                self.close()
            case p.UnbindResp():
                self.close()
            case p.QuerySm():
                allowed = self.binding in SENDING
                refusal = p.QuerySmResp(sequence=pdu.sequence, status=Status.ESME_RINVBNDSTS)
                self.send(self._exchange.query(pdu) if allowed else refusal)
            case _ if not COMMAND_OF[type(pdu)] & RESPONSE_BIT:
                # deliver_sm: only we may send it.
                self.send(p.GenericNack(sequence=pdu.sequence, status=Status.ESME_RINVCMDID))

    def _unless_open(self) -> int:
        return Status.ESME_RINVBNDSTS if self.binding is Binding.OPEN else Status.ESME_ROK

    def _submit(self, pdu: p.SubmitSm | p.DataSm) -> None:
        if self.binding in SENDING:
            self._exchange.submit(self, pdu)
        else:
            self.answer(pdu, status=Status.ESME_RINVBNDSTS)

    def answer(self, pdu: p.SubmitSm | p.DataSm, *, status: int = 0, message_id: str = "") -> None:
        """Write the response to a message."""
        kind = p.SubmitSmResp if isinstance(pdu, p.SubmitSm) else p.DataSmResp
        self.send(kind(sequence=pdu.sequence, status=status, message_id=message_id))

    def _bind(self, pdu: p.Bind) -> None:
        binding, kind = BINDS[type(pdu)]
        if self.binding is not Binding.OPEN:
            self.send(kind(sequence=pdu.sequence, status=Status.ESME_RALYBND))
            return
        status = self._exchange.admit(pdu)
        if status:
            self.send(kind(sequence=pdu.sequence, status=status))
            self.close()
            return
        self.binding = binding
        tlvs: dict[int, bytes] = {p.Tag.SC_INTERFACE_VERSION: SMPP_3_4}
        self.send(kind(sequence=pdu.sequence, system_id=self._exchange.system_id, tlvs=tlvs))
        self._exchange.bound(self)
