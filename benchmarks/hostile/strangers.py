"""What people without a key send: connections that say nothing or little, and bodies that are made to cost much."""

import asyncio
import contextlib
import gzip
import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from itertools import cycle

MEGABYTE = 1 << 20
SILENT_FROM = "127.0.0.2"
"""Where the many come from."""
NOT_READ = "an answer that is not read"
OTHERS_FROM = 10
"""Last octet of the first address of the others."""


@dataclass(slots=True)
class Counted:
    """What came of it, by kind."""

    by_kind: dict[str, int] = field(default_factory=dict)

    def add(self, kind: str) -> None:
        """Count one."""
        self.by_kind[kind] = self.by_kind.get(kind, 0) + 1


def openings(key: str) -> tuple[tuple[str, bytes], ...]:
    """Return what a connection says first before it falls silent, by name; `key` is the big account's."""
    return (
        ("nothing", b""),
        ("half a line", b"GET /v1/bulk-st"),
        ("half the headers", b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-Slow: "),
        ("half a body", b"POST /v1/send HTTP/1.1\r\nHost: a\r\nContent-Length: 30000\r\n\r\n{"),
        (NOT_READ, b"GET /v2/export?from=2000-01-01T00:00:00Z HTTP/1.1\r\nHost: a\r\n"
         b"Authorization: Bearer " + key.encode() + b"\r\n\r\n"),
        ("HTTP/2", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
        ("TLS", bytes.fromhex("1603010200010001fc0303")),
    )  # fmt: skip


class _Silent(asyncio.Protocol):
    """A connection of which nothing is read that need not be, and that knows when it was ended."""

    def __init__(self, *, reads: bool) -> None:
        self._reads = reads
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin."""
        if not self._reads and isinstance(transport, asyncio.ReadTransport):
            transport.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002  why changes nothing
        """End."""
        if not self.ended.done():
            self.ended.set_result(None)


async def keep_silent(
    port: int, address: str, opening: tuple[str, bytes], counted: Counted, *, pause: float = 1.0
) -> None:
    """Hold one connection that says its opening and then an octet now and then; have another when it is ended."""
    kind, said = opening
    loop = asyncio.get_running_loop()
    reads = kind != NOT_READ
    while True:
        await asyncio.sleep(pause)
        try:
            transport, silent = await loop.create_connection(
                lambda: _Silent(reads=reads), "127.0.0.1", port, local_addr=(address, 0)
            )
        except OSError:
            counted.add("refused")
            continue
        counted.add(kind)
        try:
            transport.write(said)
            # Who does not read is not told of the end either.
            while not silent.ended.done():
                await asyncio.wait({silent.ended}, timeout=5 * pause if reads else 40 * pause)
                if not reads:
                    break
                if kind.startswith("half"):
                    transport.write(b"a")
        finally:
            transport.abort()


def nested() -> bytes:
    """Return a megabyte of JSON that is nothing but brackets."""
    return b"[" + b"[]," * (MEGABYTE // 3 - 2) + b"[]]"


def marks(key: str) -> bytes:
    """Return a send whose text is combining marks."""
    text = "a" + "\u0301" * 40_000 + "\u0316" * 40_000
    return json.dumps({"apiKey": key, "phoneNumbers": "+33612345678", "message": text, "sandbox": 1}).encode()


def _request(headers: str, body: bytes = b"", line: str = "POST /v1/send HTTP/1.1") -> bytes:
    return f"{line}\r\nHost: a\r\nConnection: close\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body


@cache
def bodies() -> dict[str, bytes]:
    """Return whole requests of people without a key, by name."""
    chance = random.Random(16)
    many = "&".join(f"a{number}=b" for number in range(20_000)).encode()
    form = "Content-Type: application/x-www-form-urlencoded\r\n"
    parts = b"--x\r\nContent-Disposition: form-data; name=a\r\n\r\nb\r\n" * 2000 + b"--x--\r\n"
    return {
        "nested JSON": _request("", nested()),
        "deep JSON": _request("", b"[" * 30_000),
        "many members": _request("", b"{" + b",".join(b'"%d":0' % n for n in range(3000)) + b"}"),
        "long number": _request("", b'{"apiKey":' + b"9" * 30_000 + b"}"),
        "huge headers": _request("X-A: " + "a" * 200_000 + "\r\n"),
        "many headers": _request("".join(f"X-{n}: a\r\n" for n in range(2000))),
        "combining marks": _request("", marks("nobody")),
        "gzip bomb": _request("Content-Encoding: gzip\r\n", gzip.compress(b"0" * (16 * MEGABYTE), 1)),
        "charset": _request(f"Content-Type: text/plain; charset=x{chance.getrandbits(40)}\r\n", b"apiKey=a"),
        "many fields": _request(form, many),
        "multipart": _request("Content-Type: multipart/form-data; boundary=x\r\n", parts),
        "garbage": chance.randbytes(30_000),
        "garbage as JSON": _request("", chance.randbytes(30_000)),
        "long path": _request("", line="GET /" + "a" * 30_000 + " HTTP/1.1"),
        "long query": _request("", line="GET /v1/bulk-status?" + "a=%41&" * 4000 + " HTTP/1.1"),
        "wrong key": _request("", line="GET /v1/bulk-status?messageId=1&apiKey=wrong HTTP/1.1"),
    }


def _in_turn(requests: dict[str, bytes]) -> Iterator[tuple[str, bytes]]:
    return cycle(requests.items())


async def send_bodies(port: int, address: str, counted: Counted, pause: float = 0.0) -> None:
    """Send one body after the other, each over a connection of its own."""
    for kind, request in _in_turn(bodies()):
        with contextlib.suppress(OSError, TimeoutError):
            async with asyncio.timeout(10):
                reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))
                try:
                    writer.write(request)
                    counted.add(f"{kind}: {_status(await reader.read(64))}")
                    continue
                finally:
                    writer.transport.abort()
                    await asyncio.sleep(pause)
        counted.add(f"{kind}: cut")
        await asyncio.sleep(pause)


def _status(answer: bytes) -> str:
    return answer[9:12].decode("ascii", "replace") if answer.startswith(b"HTTP/1") else "nothing"
