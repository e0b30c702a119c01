"""What people are shown of numbers, and that it is noted when they see a whole one; and the export of a live server."""

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

from esito_cluster.process import free_port
from tests.kit.live import LiveServer, live_server, live_smsc
from tests.kit.patience import PATIENCE, wait_until

NUMBER = "+33611110001"
"""The simulator delivers to it at once."""


def as_sender(server: LiveServer, *words: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"ESITO_URL": server.url, "ESITO_API_KEY": server.api_key}
    return subprocess.run(
        [sys.executable, "-m", "esito", *words],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
        env=environment,
    )


def delivered(server: LiveServer) -> str:
    message = server.send(NUMBER)
    wait_until(lambda: server.status(message).json()["StatutResponse_List"][0]["status"] == "Delivered")
    return str(message)


def test_explain_masks_unless_asked_and_that_is_audited_and_export_writes_a_file(tmp_path: Path) -> None:
    port = free_port()
    with live_smsc(port), live_server(tmp_path, smsc_port=port) as server:
        message = delivered(server)

        shown = as_sender(server, "explain", message, NUMBER).stdout
        assert shown.startswith(f"Message {message} to ********0001: Delivered\n")
        assert "33611110001" not in shown
        assert [one["act"] for one in json.loads(server.esito("audit", "--json"))] == ["account created"]

        shown = as_sender(server, "explain", message, NUMBER, "--unmask", "ticket 4711").stdout
        assert shown.startswith(f"Message {message} to {NUMBER}: Delivered\n")
        newest = json.loads(server.esito("audit", "--json"))[0]
        assert (newest["actor"], newest["act"], newest["subject"], newest["details"]) == (
            "account:acme", "number unmasked", "********0001", f"message {message}: ticket 4711",
        )  # fmt: skip

        file = tmp_path / "out.csv"
        assert as_sender(server, "export", "--output", str(file)).returncode == 0
        with file.open(newline="", encoding="utf-8") as opened:
            (row,) = csv.DictReader(opened)
        assert (row["message_id"], row["msisdn"], row["status"]) == (message, NUMBER, "Delivered")
        assert as_sender(server, "export", "--format", "jsonl").stdout.count("\n") == 1

        refused = as_sender(server, "export", "--from", "yesterday", "--output", str(tmp_path / "no.csv"))
        assert (refused.returncode, refused.stderr) == (1, "Error: code 3: L'intervalle n'est pas valide\n")
        assert not list(tmp_path.glob("no.csv*"))
