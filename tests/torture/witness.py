"""The operator as a witness: it delivers each segment at once and writes down which receipts were acknowledged."""

import asyncio
import threading
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from esito.smpp import pdu as p
from esito.smpp.codec import FrameBuffer, decode, encode
from tests.kit.patience import PATIENCE, moment
from tests.kit.serving import Serving

BINDS: dict[type[p.Pdu], type[p.BindResp]] = {
    p.BindTransceiver: p.BindTransceiverResp,
    p.BindTransmitter: p.BindTransmitterResp,
    p.BindReceiver: p.BindReceiverResp,
}

LATER = 0.2
"""Seconds until a receipt that was put off is said again."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A deliver_sm_resp: when it came, to which receipt, with what command_status."""

    at: float
    smsc_id: str
    status: int
    sequence: int


class Witness(threading.Thread):
    """An SMSC in a thread of its own, which outlives every server that binds to it."""

    def __init__(self, *, host: str = "127.0.0.1", port: int = 0, delivers: bool = True, initial: str = "W") -> None:
        """With `delivers` false, receipts are said only when a test says so; `initial` begins its ids."""
        super().__init__(daemon=True)
        self.host = host
        self.port = port
        self.delivers = delivers
        self.initial = initial
        self.withholds = False
        """Receipts wait until `release`."""
        self.submitted: list[str] = []
        """The numbers of the segments that came, in order."""
        self.answered: list[Answered] = []
        self.bound = 0
        self._waiting: dict[str, str] = {}
        self._said: dict[int, str] = {}
        self._sequence = 0
        self._writer: asyncio.StreamWriter | None = None
        self._loop = asyncio.new_event_loop()
        self._listening = threading.Event()

    def __enter__(self) -> Self:
        self.start()
        assert self._listening.wait(PATIENCE)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self.join()

    def run(self) -> None:
        serving = self._loop.run_until_complete(self._listen())
        self.port = serving.port
        self._listening.set()
        self._loop.run_forever()
        self._loop.run_until_complete(serving.end())
        self._loop.close()

    @property
    def acknowledged(self) -> list[Answered]:
        """The receipts that were answered with ESME_ROK."""
        return [one for one in list(self.answered) if one.status == p.Status.ESME_ROK]

    @property
    def put_off(self) -> list[Answered]:
        return [one for one in list(self.answered) if one.status == p.Status.ESME_RMSGQFUL]

    def deliver(self, smsc_id: str, to: str) -> None:
        """Say one receipt, from the thread of a test."""
        self._loop.call_soon_threadsafe(self._deliver, smsc_id, to)

    def release(self) -> None:
        """Say every receipt that waits, from the thread of a test, and each that comes at once."""
        self.withholds = False
        self._loop.call_soon_threadsafe(self._deliver_all)

    async def _listen(self) -> Serving:
        return Serving(self._take, host=self.host, port=self.port)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        frames = FrameBuffer()
        try:
            while data := await reader.read(65536):
                for frame in frames.feed(data):
                    self._hear(decode(frame), writer)
        except ConnectionError:
            pass  # the server was killed
        if self._writer is writer:
            self._writer = None

    def _hear(self, pdu: p.Pdu, writer: asyncio.StreamWriter) -> None:
        kind = BINDS.get(type(pdu))
        if kind is not None:
            writer.write(encode(kind(sequence=pdu.sequence, system_id="witness")))
            self._writer = writer
            self._said.clear()
            self.bound += 1
            self._deliver_all()
        elif isinstance(pdu, p.EnquireLink):
            writer.write(encode(p.EnquireLinkResp(sequence=pdu.sequence)))
        elif isinstance(pdu, p.Unbind):
            writer.write(encode(p.UnbindResp(sequence=pdu.sequence)))
        elif isinstance(pdu, p.SubmitSm):
            self._accept(pdu, writer)
        elif isinstance(pdu, p.DeliverSmResp):
            self._note(pdu)

    def _accept(self, pdu: p.SubmitSm, writer: asyncio.StreamWriter) -> None:
        self.submitted.append(pdu.destination_addr)
        smsc_id = f"{self.initial}{len(self.submitted):09d}"
        if not self.delivers:
            smsc_id = f"{HEX_ID:X}"
        writer.write(encode(p.SubmitSmResp(sequence=pdu.sequence, message_id=smsc_id)))
        if self.delivers:
            self._deliver(smsc_id, pdu.destination_addr)

    def _deliver_all(self) -> None:
        for smsc_id, to in list(self._waiting.items()):
            self._deliver(smsc_id, to)

    def _deliver(self, smsc_id: str, to: str) -> None:
        self._waiting[smsc_id] = to
        if self.withholds or self._writer is None or self._writer.is_closing():
            return
        self._sequence += 1
        self._said[self._sequence] = smsc_id
        now = f"{datetime.now(UTC):%y%m%d%H%M}"
        text = f"id:{smsc_id} sub:001 dlvrd:001 submit date:{now} done date:{now} stat:DELIVRD err:000 text:"
        receipt = p.DeliverSm(
            sequence=self._sequence, source_addr=to, destination_addr="36111",
            esm_class=p.EsmClass.DELIVERY_RECEIPT, short_message=text.encode(),
        )  # fmt: skip
        self._writer.write(encode(receipt))

    def _note(self, pdu: p.DeliverSmResp) -> None:
        smsc_id = self._said.pop(pdu.sequence, None)
        if smsc_id is None:
            return
        self.answered.append(Answered(moment(), smsc_id, pdu.status, pdu.sequence))
        to = self._waiting.pop(smsc_id, None)
        if to is not None and pdu.status != p.Status.ESME_ROK:
            self._waiting[smsc_id] = to
            self._loop.call_later(LATER, self._deliver, smsc_id, to)


HEX_ID = 0x1F3A9C07
"""The id that a witness which does not deliver by itself gives, in hexadecimal."""
