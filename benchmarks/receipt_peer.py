"""An SMSC that takes every submit_sm and delivers its receipts as fast as they are acknowledged.

It runs as a process of its own and counts its ids in decimal, as operators do. `python -m benchmarks.receipt_peer PORT
COUNT FIRST_ID WINDOW MODE`, where MODE says when the receipts come:

- `afterwards`: when all submit_sm are answered; their octets are made before the clock starts;
- `at-once`: each right behind its response, in the same write;
- `given`: without any submit_sm, for a gateway that was told the ids before.

It prints `listening`, and at the end one JSON object: seconds from the first submit_sm (`submits`: to the last
response) or deliver_sm (`seconds`: to the last deliver_sm_resp), and how many responses were not ESME_ROK.
"""

import json
import socket
import struct
import sys
import time
from collections.abc import Callable, Iterator

from esito.smpp.codec import FrameBuffer, decode, encode
from esito.smpp.pdu import (
    BindTransceiverResp,
    Command,
    DeliverSm,
    EnquireLinkResp,
    EsmClass,
    SubmitSm,
    Tag,
)

FIRST_NUMBER = 33_600_000_000
EACH = 500
"""Recipients of one message: numbers one after the other, the same in every message."""

_HEADER = struct.Struct(">IIII")


def receipt(number: int, sequence: int, to: str, at: str) -> bytes:
    text = f"id:{number} sub:001 dlvrd:001 submit date:{at} done date:{at} stat:DELIVRD err:000 text:What happ"
    return encode(
        DeliverSm(
            sequence=sequence,
            source_addr_ton=1,
            source_addr_npi=1,
            source_addr=to,
            destination_addr="ESITO",
            esm_class=EsmClass.DELIVERY_RECEIPT,
            short_message=text.encode(),
            tlvs={Tag.RECEIPTED_MESSAGE_ID: str(number).encode() + b"\0", Tag.MESSAGE_STATE: b"\x02"},
        )
    )


def submit_sm_resp(sequence: int, number: int) -> bytes:
    body = str(number).encode() + b"\0"
    return _HEADER.pack(16 + len(body), Command.SUBMIT_SM_RESP, 0, sequence) + body


class Peer:
    """One bound connection."""

    def __init__(self, connection: socket.socket, count: int, first_id: int, window: int) -> None:
        self._connection = connection
        self._count, self._first, self._window = count, first_id, window
        self._frames = FrameBuffer()
        self._at = time.strftime("%y%m%d%H%M", time.gmtime())
        self.recipients: list[str] = []
        """Whom each submit_sm that came was for, in order."""
        self.answered = self.refused = 0
        """deliver_sm_resp that came, and how many of them refuse."""

    def take(self, submitted: Callable[[int, str], bytes]) -> None:
        """Read once; answer enquire_link, and every submit_sm with what `submitted` makes of its sequence_number."""
        out: list[bytes] = []
        for frame in self._read():
            _, command, status, sequence = _HEADER.unpack_from(frame)
            if command == Command.SUBMIT_SM:
                pdu = decode(frame)
                to = pdu.destination_addr if isinstance(pdu, SubmitSm) else ""
                out.append(submitted(sequence, to))
                self.recipients.append(to)
            elif command == Command.DELIVER_SM | 0x80000000:
                self.answered += 1
                self.refused += status != 0
            elif command == Command.ENQUIRE_LINK:
                out.append(encode(EnquireLinkResp(sequence=sequence)))
            elif command == Command.BIND_TRANSCEIVER:
                out.append(encode(BindTransceiverResp(sequence=sequence, system_id="bench")))
        if out:
            self._connection.sendall(b"".join(out))

    def _read(self) -> Iterator[bytes]:
        data = self._connection.recv(262144)
        if not data:
            raise RuntimeError("the connection was lost")
        yield from self._frames.feed(data)

    def answer_all(self) -> float:
        """Answer every submit_sm; return the seconds from the first one on."""
        began = 0.0
        while len(self.recipients) < self._count:
            self.take(lambda sequence, _to: submit_sm_resp(sequence, self._first + len(self.recipients)))
            began = began or (time.perf_counter() if self.recipients else 0.0)
        return time.perf_counter() - began

    def receipts(self) -> list[bytes]:
        """Return a receipt for every message."""
        told = self.recipients or [f"{FIRST_NUMBER + place % EACH}" for place in range(self._count)]
        return [receipt(self._first + place, place + 1, to, self._at) for place, to in enumerate(told)]

    def deliver(self, pdus: list[bytes]) -> float:
        """Keep `window` receipts unacknowledged until all are answered; return the seconds."""
        sent, began = 0, time.perf_counter()
        while self.answered < len(pdus):
            if sent < len(pdus) and sent - self.answered <= self._window // 2:
                upto = min(len(pdus), self.answered + self._window)
                self._connection.sendall(b"".join(pdus[sent:upto]))
                sent = upto
            self.take(_unexpected)
        return time.perf_counter() - began

    def deliver_at_once(self) -> float:
        """Answer every submit_sm, and deliver its receipt in the same write; return the seconds to the last answer."""

        def both(sequence: int, to: str) -> bytes:
            place = len(self.recipients)
            number = self._first + place
            return submit_sm_resp(sequence, number) + receipt(number, place + 1, to, self._at)

        began = 0.0
        while self.answered < self._count:
            self.take(both)
            began = began or (time.perf_counter() if self.recipients else 0.0)
        return time.perf_counter() - began


def _unexpected(sequence: int, to: str) -> bytes:
    raise RuntimeError(f"one submit_sm too many: {sequence} to {to}")


def main() -> None:
    port, count, first, window = (int(argument) for argument in sys.argv[1:5])
    mode = sys.argv[5] if len(sys.argv) > 5 else "afterwards"
    with socket.create_server(("127.0.0.1", port)) as server:
        print("listening", flush=True)
        connection, _ = server.accept()
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with connection:
        peer = Peer(connection, count, first, window)
        submits = 0.0
        if mode == "at-once":
            seconds = peer.deliver_at_once()
        elif mode == "given":
            peer.take(_unexpected)  # the bind
            seconds = peer.deliver(peer.receipts())
        else:
            submits = peer.answer_all()
            seconds = peer.deliver(peer.receipts())
        print(json.dumps({"submits": submits, "seconds": seconds, "refused": peer.refused}), flush=True)
        connection.settimeout(5)
        try:
            while connection.recv(65536):
                pass
        except OSError:
            pass


if __name__ == "__main__":
    main()
