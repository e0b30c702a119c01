"""`kill -9` between any two steps of a message's life loses nothing that was answered.

The operator's own log is the witness: what it says was acknowledged must be in the trail.
"""

import json
import random
import threading
import time
from pathlib import Path

import apsw
import httpx
import pytest

from tests.kit.live import LiveServer, free_port, live_server, live_smsc, wait_until_alive

ROUNDS = 6

MOST_NUMBERS = 20_000
"""Mobile numbers in +336 and +337 that end in 0001: each is used once, so that a double submission shows."""


class Sender(threading.Thread):
    """Sends without pause, to numbers whose receipts come at once, and remembers what was accepted."""

    def __init__(self, server: LiveServer) -> None:
        super().__init__()
        self.server = server
        self.accepted: dict[int, list[str]] = {}
        self.stopping = False
        self.numbers = 0

    def run(self) -> None:
        with httpx.Client() as client:
            while not self.stopping and self.numbers < MOST_NUMBERS:
                time.sleep(0.01)
                first, self.numbers = self.numbers, self.numbers + 20
                numbers = [f"+33{6 + number // 10_000}{number % 10_000:04d}0001" for number in range(first, first + 20)]
                body = {
                    "apiKey": self.server.api_key, "phoneNumbers": ",".join(numbers), "message": "ciao",
                    "urlDlr": "https://example.org/dlr",
                }  # fmt: skip
                try:
                    answer = client.post(f"{self.server.url}/v1/send", json=body, timeout=2)
                except httpx.TransportError:
                    time.sleep(0.02)
                    continue
                if answer.status_code == 200:
                    self.accepted[answer.json()["message_id"]] = numbers


def acknowledged(journal: Path) -> list[str]:
    """Return the ids of the receipts whose deliver_sm_resp the operator has seen."""
    lines = journal.read_text(encoding="utf-8").splitlines()
    events = [json.loads(line) for line in lines if line.endswith("}")]
    return [one["smsc_message_id"] for one in events if one["event"] == "receipt_acknowledged"]


def submitted_numbers(journal: Path) -> list[str]:
    events = [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines() if line.endswith("}")]
    return [one["to"] for one in events if one["event"] == "submit_sm"]


@pytest.mark.timeout(240)
def test_nothing_answered_is_lost_however_often_the_server_is_killed(tmp_path: Path) -> None:
    chance = random.Random()
    port, journal = free_port(), tmp_path / "smsc.log"
    with live_smsc(port, journal), live_server(tmp_path, smsc_port=port, credit="100000") as first:
        server, sender = first, Sender(first)
        sender.start()
        for _ in range(ROUNDS):
            time.sleep(chance.uniform(0.2, 1.2))
            server = server.kill_and_restart()
            wait_until_alive(server)
        time.sleep(1)
        sender.stopping = True
        sender.join()
        settle(server)
        server.process.terminate()
        assert server.process.wait(30) == 0
    assert sender.accepted
    connection = apsw.Connection(str(tmp_path / "esito.db"))
    for message_id, numbers in sender.accepted.items():
        rows = connection.execute("SELECT msisdn FROM recipient WHERE message_id = ? ORDER BY seq", (message_id,))
        assert [f"+{msisdn}" for (msisdn,) in rows] == numbers
    trail = {smsc_id for (smsc_id,) in connection.execute("SELECT smsc_id FROM trail")}
    witnessed = acknowledged(journal)
    assert witnessed
    assert [smsc_id for smsc_id in witnessed if smsc_id not in trail] == []
    sent = submitted_numbers(journal)
    assert len(sent) == len(set(sent)), "a segment was submitted twice"
    connection.close()
    assert server.esito("check").strip() == "The books balance."


def settle(server: LiveServer) -> None:
    """Wait until nothing is queued any more."""
    for _ in range(200):
        credits_ = httpx.get(f"{server.url}/v1/me", params={"apiKey": server.api_key}).json()["credits"]
        if credits_["toSend"] == 0:
            break
        time.sleep(0.05)
    time.sleep(2)
