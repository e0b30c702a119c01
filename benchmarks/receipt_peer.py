"""An SMSC that does one thing: deliver so many receipts as fast as they are acknowledged.

It runs as a process of its own; its octets are made before the clock starts. It prints
one JSON object: seconds from the first deliver_sm to the last deliver_sm_resp, and how
many responses were not ESME_ROK.
"""

import json
import socket
import struct
import sys
import time

from esito.smpp.codec import encode
from esito.smpp.pdu import BindTransceiverResp, DeliverSm, EsmClass, Tag

FIRST_NUMBER = 33_600_000_000
EACH = 500
"""Recipients of one message: numbers one after the other, the same in every message."""

RESPONSE_LENGTH = 17
DELIVER_SM_RESP = 0x80000005


def receipt(number: int, sequence: int, to: int, at: str) -> bytes:
    text = f"id:{number} sub:001 dlvrd:001 submit date:{at} done date:{at} stat:DELIVRD err:000 text:What happ"
    return encode(
        DeliverSm(
            sequence=sequence,
            source_addr_ton=1,
            source_addr_npi=1,
            source_addr=str(to),
            destination_addr="ESITO",
            esm_class=EsmClass.DELIVERY_RECEIPT,
            short_message=text.encode(),
            tlvs={Tag.RECEIPTED_MESSAGE_ID: str(number).encode() + b"\0", Tag.MESSAGE_STATE: b"\x02"},
        )
    )


def main() -> None:
    port, count, first, window = (int(argument) for argument in sys.argv[1:5])
    at = time.strftime("%y%m%d%H%M", time.gmtime())
    pdus = [receipt(first + place, place + 1, FIRST_NUMBER + place % EACH, at) for place in range(count)]
    with socket.create_server(("127.0.0.1", port)) as server:
        print("listening", flush=True)
        connection, _ = server.accept()
    with connection:
        _bind(connection)
        began = time.perf_counter()
        refused = _deliver(connection, pdus, window)
        print(json.dumps({"seconds": time.perf_counter() - began, "refused": refused}), flush=True)
        connection.settimeout(5)
        try:
            while connection.recv(65536):
                pass
        except OSError:
            pass


def _bind(connection: socket.socket) -> None:
    header = connection.recv(65536)
    sequence = struct.unpack_from(">I", header, 12)[0]
    connection.sendall(encode(BindTransceiverResp(sequence=sequence, system_id="bench")))


def _deliver(connection: socket.socket, pdus: list[bytes], window: int) -> int:
    """Keep `window` receipts unacknowledged; return how many were refused."""
    sent = answered = refused = 0
    rest = b""
    while answered < len(pdus):
        if sent < len(pdus) and sent - answered <= window // 2:
            upto = min(len(pdus), answered + window)
            connection.sendall(b"".join(pdus[sent:upto]))
            sent = upto
        data = rest + connection.recv(262144)
        whole = len(data) - len(data) % RESPONSE_LENGTH
        for length, command, status, _, _ in struct.iter_unpack(">IIIIB", data[:whole]):
            if length != RESPONSE_LENGTH or command != DELIVER_SM_RESP:
                raise RuntimeError(f"not a deliver_sm_resp: {command:#x}")
            refused += status != 0
        answered += whole // RESPONSE_LENGTH
        rest = data[whole:]
    return refused


if __name__ == "__main__":
    main()
