"""An SMSC written by others is bound, receives the submit_sm, and its receipt lands."""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.kit.live import LiveServer, live_server
from tests.kit.needs import PEERS, needs


@contextmanager
def npm_smsc() -> Iterator[subprocess.Popen[str]]:
    process = subprocess.Popen(["node", "smsc.js"], cwd=PEERS, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def next_line(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    found: dict[str, Any] = json.loads(process.stdout.readline())
    return found


def status_once_decided(server: LiveServer, message_id: int) -> str:
    for _ in range(200):
        (one,) = server.status(message_id).json()["StatutResponse_List"]
        if one["status"] != "Waiting":
            break
        time.sleep(0.05)
    return str(one["status"])


@needs("node", "npm smpp")
def test_a_message_goes_out_and_its_receipt_comes_home(tmp_path: Path) -> None:
    with npm_smsc() as smsc, live_server(tmp_path, smsc_port=next_line(smsc)["port"]) as server:
        message_id = server.send("0612345678", sender="ESITO")
        submitted = next_line(smsc)
        assert submitted["to"] == "33612345678"
        assert submitted["from"] == "ESITO"
        assert submitted["text"] == "ciao"
        assert submitted["registered_delivery"] == 1
        assert next_line(smsc) == {"receipt_answered": 0}
        assert status_once_decided(server, message_id) == "Delivered"
        assert server.esito("check").strip() == "The books balance."
