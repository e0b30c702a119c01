"""A socket is read in small pieces: what is taken to read into is not far larger than what comes."""

import subprocess
import sys

from esito.app.process_tuning import READ_AT_ONCE

PROGRAM = """
import asyncio
import socket

from esito.app.process_tuning import read_less_at_once

read_less_at_once()


class Reader(asyncio.Protocol):
    def __init__(self):
        self.sizes = []

    def data_received(self, data):
        self.sizes.append(len(data))

    def eof_received(self):
        print(max(self.sizes), sum(self.sizes))
        asyncio.get_running_loop().stop()


ours, theirs = socket.socketpair()
for one in (ours, theirs):
    one.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4 << 20)
    one.setblocking(False)
sent = theirs.send(bytes(150_000))
theirs.shutdown(socket.SHUT_WR)
loop = asyncio.new_event_loop()
loop.create_task(loop.connect_accepted_socket(Reader, ours))
loop.run_forever()
print(sent)
"""


def test_it_reads_no_more_than_that_at_once() -> None:
    said = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    most, received, sent = map(int, said.stdout.split())
    assert sent == received > 2 * READ_AT_ONCE
    assert most == READ_AT_ONCE
