"""A developer rehearses: demo, `esito listen`, `trigger`, `tail`, `cancel`; callbacks arrive verified and forwarded."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from esito.webhooks.signing import sign
from esito_cluster.process import free_port
from tests.kit import commands
from tests.kit.listener import Listener
from tests.kit.patience import PATIENCE
from tests.torture.house import until


@contextmanager
def program(folder: Path, *words: str, **environ: str) -> Iterator[Path]:
    """Run an esito command in the background; yield the file of what it prints."""
    printed = folder / f"{words[0]}.out"
    with printed.open("w", encoding="utf-8") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "esito", *words], stdout=out, stderr=subprocess.STDOUT, cwd=folder,
            env=commands.environment() | {"PYTHONUNBUFFERED": "1"} | environ,
        )  # fmt: skip
        try:
            yield printed
        finally:
            process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE) == 0, printed.read_text(encoding="utf-8")


def esito(folder: Path, *words: str, **environ: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "esito", *words], capture_output=True, text=True, check=False, cwd=folder,
        timeout=PATIENCE, env=commands.environment() | environ,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_rehearsal_on_one_machine(tmp_path: Path) -> None:
    port, hooks = free_port(), free_port()
    with program(tmp_path, "demo", "--listen", f"127.0.0.1:{port}", "--data", str(tmp_path / "data"), "--json") as demo:
        until(lambda: "apiKey" in demo.read_text(encoding="utf-8").rpartition("\n")[0])
        told = json.loads(demo.read_text(encoding="utf-8").splitlines()[0])
        environ = {"ESITO_URL": f"http://127.0.0.1:{port}", "ESITO_API_KEY": told["apiKey"]}
        own = Listener()
        with own, program(
            tmp_path, "listen", "--listen", f"127.0.0.1:{hooks}", "--forward-to", f"http://127.0.0.1:{own.port}/mine",
            "--json",
        ) as heard:  # fmt: skip
            until(lambda: "received at" in heard.read_text(encoding="utf-8"))
            made = json.loads(
                esito(tmp_path, "trigger", "corrected", "--url-dlr", f"http://127.0.0.1:{hooks}/dlr?secret=1", "--json",
                      **environ)
            )  # fmt: skip
            until(lambda: heard.read_text(encoding="utf-8").count('"status"') >= 2)
            lines = [json.loads(line) for line in heard.read_text(encoding="utf-8").splitlines() if line[0] == "{"]
            assert [one["body"]["status"] for one in lines] == ["not delivered", "delivered"]
            assert {one["answered"] for one in lines} == {204}
            assert own.requests[0].startswith(b"POST /mine?secret=1 HTTP/1.1")
            assert b"webhook-id: msg_" in own.requests[0].lower()
        shown = esito(tmp_path, "tail", "--all", "--once", **environ)
        assert f"message {made['messageId']} to {made['phoneNumber']}: “DELIVRD” moved; now Delivered" in shown
        assert made["phoneNumber"].endswith("0007")
        for _ in range(2):
            esito(tmp_path, "trigger", "stop", **environ)
        sent = esito(tmp_path, "send", "--to", "0612345678", "--message", "ciao", "--schedule", "2040-01-02 10:00",
                     "--json", **environ)  # fmt: skip
        message = json.loads(sent)["messageId"]
        assert json.loads(esito(tmp_path, "cancel", str(message), "--json", **environ))["cancelled"]
        assert "KO" in esito(tmp_path, "status", str(message), **environ)


def test_a_receiver_says_whether_the_signature_is_good(tmp_path: Path) -> None:
    port, body = free_port(), b'{"type": "stop", "phone_number": "+336", "text": "Stop", "message_id": 4712}'
    with program(tmp_path, "listen", "--listen", f"127.0.0.1:{port}", "--secret", "word") as heard:
        until(lambda: "received at" in heard.read_text(encoding="utf-8"))
        for secret in ("word", "other"):
            signature = sign(secret, "msg_1", 1_800_000_000, body)
            subprocess.run(
                [sys.executable, "-c", "import httpx,sys; httpx.post(sys.argv[1], content=sys.argv[2], headers="
                 "{'webhook-id': 'msg_1', 'webhook-timestamp': '1800000000', 'webhook-signature': sys.argv[3]})",
                 f"http://127.0.0.1:{port}/", body.decode(), signature],
                check=True, env=dict(os.environ),
            )  # fmt: skip
        until(lambda: "BAD" in heard.read_text(encoding="utf-8"))
        text = heard.read_text(encoding="utf-8")
    assert "+336 STOP, message 4712: 'Stop'  (msg_1, signature good) -> 204" in text
    assert "(msg_1, SIGNATURE BAD) -> 204" in text
