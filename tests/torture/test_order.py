"""No answer leaves before the fdatasync of its commit: seen from the kernel."""

import subprocess
from pathlib import Path

import pytest

from esito.smpp.codec import encode
from esito.smpp.pdu import DeliverSmResp
from tests.kit.needs import needs
from tests.torture import FULL
from tests.torture.house import House, Sender, until
from tests.torture.trace import CALLS, LONGEST, Trace
from tests.torture.witness import Witness

ANSWERS = 10_000 if FULL else 500


@needs("strace")
@pytest.mark.timeout(600 if FULL else 90)
def test_no_answer_leaves_before_its_commit_is_on_the_disk(tmp_path: Path) -> None:
    log = tmp_path / "trace"
    strace = ["strace", "-f", "--seccomp-bpf", "-xx", "-s", str(LONGEST), "-e", f"trace={CALLS}", "-e", "signal=none",
              "-o", str(log)]  # fmt: skip
    database = tmp_path / "esito.db"
    with Witness() as witness, House(folder=tmp_path, database=database, links={"alpha": witness.port}) as house:
        house.start(before=strace)
        with Sender(house) as sender:
            until(lambda: len(witness.acknowledged) >= ANSWERS, seconds=500 if FULL else 60)
        assert house.process is not None
        # strace itself ignores SIGTERM and ends with its child.
        subprocess.run(["pkill", "-TERM", "-P", str(house.process.pid)], check=True)
        house.process.wait(30)
        receipts = {encode(DeliverSmResp(sequence=one.sequence)): one.smsc_id.encode() for one in witness.acknowledged}
        sends = {
            f'"message_id":{message_id}'.encode(): text.encode() for message_id, (_, text, _) in sender.accepted.items()
        }
    early, seen = check(Trace(), log, receipts, sends)
    assert early == []
    # Every answer that arrived left by a socket: what the trace does not show was not looked at.
    assert seen >= len(receipts) + len(sends)
    assert len(receipts) >= ANSWERS
    assert sends


def check(trace: Trace, log: Path, receipts: dict[bytes, bytes], sends: dict[bytes, bytes]) -> tuple[list[bytes], int]:
    """Return what was answered before it was durable, and how many answers were looked at."""
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
