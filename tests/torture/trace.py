"""Reads a system-call trace of the server: which answers left, and whether their commit was synced before.

A commit of SQLite in WAL mode is pwrite64 of the pages, then fdatasync of the same file. An answer may
leave once an fdatasync that began after the pwrite64 of what it promises has ended.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from esito.smpp.codec import encode
from esito.smpp.pdu import DeliverSmResp
from tests.torture.house import Sender
from tests.torture.witness import Witness

CALLS = "fdatasync,fsync,sendto,sendmsg,write,writev,pwrite64"

LONGEST = 4200
"""Octets shown of a call: a page and a bit."""

LINE = re.compile(r"^(\d+) +(?:(\w+)\((\d+)(.*)|<\.\.\. (\w+) resumed>(.*))$")

RECEIPT = re.compile(rb"id:(W\d{9}) sub:")
TEXT = re.compile(rb"torture \d{8}")
SENDS = {"sendto", "sendmsg", "write", "writev"}
SYNCS = {"fdatasync", "fsync"}


@dataclass(slots=True)
class Trace:
    """What was on the disk at each moment, as far as the trace tells."""

    written: dict[str, set[bytes]] = field(default_factory=dict)
    """By file descriptor: what was written and is not synced yet."""
    syncing: dict[str, tuple[str, set[bytes]]] = field(default_factory=dict)
    """By thread: the descriptor it syncs, and what that will have made durable."""
    durable: set[bytes] = field(default_factory=set)

    def sends(self, path: Path) -> Iterator[bytes]:
        """Yield what leaves by a socket, in order; `durable` is what was synced when it left."""
        with path.open("rb") as lines:
            for line in lines:
                found = LINE.match(line.decode("ascii", "replace").rstrip("\n"))
                if found is None:
                    continue
                thread, call, descriptor, rest, resumed, end = found.groups()
                if resumed in SYNCS:
                    self._synced(thread, end)
                elif call == "pwrite64":
                    octets = unescape(rest)
                    self.written.setdefault(descriptor, set()).update(RECEIPT.findall(octets), TEXT.findall(octets))
                elif call in SYNCS:
                    self.syncing[thread] = descriptor, self.written.pop(descriptor, set())
                    if not rest.endswith("<unfinished ...>"):
                        self._synced(thread, rest)
                elif call in SENDS:
                    yield unescape(rest)

    def _synced(self, thread: str, end: str) -> None:
        _, octets = self.syncing.pop(thread)
        assert end.endswith("= 0"), end
        self.durable |= octets


def unescape(shown: str) -> bytes:
    r"""Return the octets of `"\x41..."`, all strings of a call one after the other."""
    return bytes.fromhex("".join(re.findall(r"\\x([0-9a-f]{2})", shown)))


def strace(log: Path) -> list[str]:
    """Return the words that have a program traced into a file."""
    return ["strace", "-f", "--seccomp-bpf", "-xx", "-s", str(LONGEST), "-e", f"trace={CALLS}", "-e", "signal=none",
            "-o", str(log)]  # fmt: skip


def answered_early(log: Path, witness: Witness, sender: Sender) -> tuple[list[bytes], int]:
    """Return what was answered before it was durable, and how many answers were looked at."""
    receipts = {encode(DeliverSmResp(sequence=one.sequence)): one.smsc_id.encode() for one in witness.acknowledged}
    sends = {f'"message_id":{number}'.encode(): text.encode() for number, (_, text, _) in sender.accepted.items()}
    trace = Trace()
    early, seen = [], 0
    for octets in trace.sends(log):
        said = [receipts[pdu] for pdu in pdus(octets) if pdu in receipts]
        if octets.startswith(b"HTTP/1.1 200") or b'"message_id":' in octets:
            said += [text for words, text in sends.items() if words + b"," in octets or words + b"}" in octets]
        seen += len(said)
        early += [one for one in said if one not in trace.durable]
    return early, seen


def pdus(octets: bytes) -> list[bytes]:
    """Return the PDUs that one write carries; none when it carries something else."""
    found, at = [], 0
    while 16 <= (length := int.from_bytes(octets[at : at + 4])) <= len(octets) - at:
        found.append(octets[at : at + length])
        at += length
    return found
