"""The command line against the real thing: server, simulator and client as processes of their own."""

import json
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from esito.smpp import pdu as p
from esito.smpp.codec import FrameBuffer, decode, encode
from esito_cluster.process import free_port
from tests.kit.patience import PATIENCE, wait_until

ESITO = [sys.executable, "-m", "esito"]


def environment(**environ: str) -> dict[str, str]:
    """Return the environment without the settings of whoever runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ESITO_")}
    return kept | {"COLUMNS": "120"} | environ


def esito(*words: str, cwd: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    env = environment(**environ)
    return subprocess.run(
        [*ESITO, *words], cwd=cwd, env=env, capture_output=True, text=True, timeout=PATIENCE, check=False
    )


@contextmanager
def running(*words: str, cwd: Path, **environ: str) -> Iterator[subprocess.Popen[str]]:
    """Run a command until the block ends; then Ctrl-C must end it well and without a word of complaint."""
    process = subprocess.Popen(
        [*ESITO, *words], cwd=cwd, env=environment(**environ), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        yield process
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=PATIENCE)
        assert (process.returncode, "Traceback" in errors) == (0, False), errors
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def told(process: subprocess.Popen[str]) -> dict[str, Any]:
    """Return what a command that goes on running says of itself."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, process.stderr.read() if process.stderr else ""
    said: dict[str, Any] = json.loads(line)
    return said


@contextmanager
def demo(cwd: Path, *words: str) -> Iterator[dict[str, Any]]:
    """Run the demo; yield what it says, with the environment its users set."""
    with running("demo", "--json", "--listen", "127.0.0.1:0", *words, cwd=cwd) as process:
        said = told(process)
        yield said | {"environ": {"ESITO_URL": said["url"], "ESITO_API_KEY": said["apiKey"]}}


# -- the simulator and a link ------------------------------------------------------------------


@pytest.fixture
def smsc(tmp_path: Path) -> Iterator[int]:
    """The simulator alone; its port."""
    with running("smsc", "--json", "--listen", "127.0.0.1:0", cwd=tmp_path) as process:
        yield int(told(process)["port"])


def link_file(directory: Path, port: int, **changes: str) -> None:
    link = {"name": "alpha", "system_id": "smsc", "password": "secret"} | changes
    lines = [f"{name} = {json.dumps(value)}" for name, value in link.items()]
    (directory / "esito.toml").write_text("\n".join(["[[link]]", f"port = {port}", *lines]))


def test_a_link_that_binds(tmp_path: Path, smsc: int) -> None:
    link_file(tmp_path, smsc, bind="transmitter + receiver")
    tried = esito("link", "test", "alpha", "--json", cwd=tmp_path)
    answer = json.loads(tried.stdout)
    assert (tried.returncode, answer["bound"]) == (0, True)
    assert [(one["bind"], one["state"]) for one in answer["sessions"]] == [
        ("transmitter", "bound"),
        ("receiver", "bound"),
    ]


def test_a_link_that_is_rejected_tells_the_status(tmp_path: Path, smsc: int) -> None:
    link_file(tmp_path, smsc, password="wrong")
    tried = esito("link", "test", "alpha", cwd=tmp_path)
    assert tried.returncode == 1
    assert tried.stdout.startswith("alpha (transceiver) rejected: bind rejected: ESME_RINVPASWD")


def test_the_simulator_ends_with_its_counts(tmp_path: Path) -> None:
    process = subprocess.Popen(
        [*ESITO, "smsc", "--listen", "127.0.0.1:0", "--log", "smsc.log", "--speed", "10"],
        cwd=tmp_path, env=environment(), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline().startswith("SMSC listens on 127.0.0.1:")
    process.terminate()
    _, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, errors) == (0, "0 messages taken, 0 receipts acknowledged, 0 forgotten.\n")
    assert (tmp_path / "smsc.log").exists()


def test_the_simulator_makes_ids_as_its_options_say_before_what_its_script_says(tmp_path: Path) -> None:
    (tmp_path / "script.toml").write_text('ids = "uuid"\nids_wrap = 2')
    words = ("--script", "script.toml", "--ids", "hex", "--ids-start", "255", "--listen", "127.0.0.1:0", "--json")
    with running("smsc", *words, cwd=tmp_path) as process:
        assert ids_of(int(told(process)["port"]), 3) == ["ff", "100", "ff"]


def ids_of(port: int, count: int) -> list[str]:
    """Submit so many messages to a simulator; return the ids it gives."""
    submits = [p.SubmitSm(sequence=place, source_addr="E", destination_addr="33611230005") for place in range(count)]
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as peer:
        peer.sendall(
            b"".join(encode(pdu) for pdu in (p.BindTransmitter(system_id="smsc", password="secret"), *submits))
        )
        frames, came = FrameBuffer(), list[p.Pdu]()
        while len(came) <= count:
            came += [decode(frame) for frame in frames.feed(peer.recv(65536))]
    return [pdu.message_id for pdu in came if isinstance(pdu, p.SubmitSmResp)]


def test_a_script_that_cannot_be_used_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "script.toml").write_text("[shares]\nnonsense = 1")
    refused = esito("smsc", "--script", "script.toml", cwd=tmp_path)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr.startswith("Error: script.toml: there is no fate 'nonsense'; there are delivered, at-once, ")
    assert refused.stderr.count("\n") == 1


# -- the demo and its users --------------------------------------------------------------------


def test_the_demo_sends_to_a_number_of_every_script_and_its_curl_line_works(tmp_path: Path) -> None:
    with running("demo", "--listen", "127.0.0.1:0", cwd=tmp_path) as process:
        assert process.stdout is not None
        line = next(line.strip() for line in process.stdout if line.strip().startswith("curl "))
        url = line.removeprefix('curl "').removesuffix('"')
        answer = httpx.get(url, timeout=PATIENCE).json()
    assert (answer["success"], answer["code"]) == (True, 200)
    numbers = [item["phoneNumber"] for item in answer["StatutResponse_List"]]
    assert numbers == [f"+3361234{ending:04}" for ending in range(16)]


def test_the_demo_leaves_nothing_behind(tmp_path: Path) -> None:
    with demo(tmp_path):
        assert list(tmp_path.iterdir()) == []
    assert list(tmp_path.iterdir()) == []


def test_a_second_start_keeps_account_and_messages(tmp_path: Path) -> None:
    with demo(tmp_path, "--data", "kept") as first:
        pass
    assert stat.S_IMODE((tmp_path / "kept" / "demo.json").stat().st_mode) == 0o600
    with demo(tmp_path, "--data", "kept") as second:
        assert second["apiKey"] == first["apiKey"]
        assert second["messageId"] > first["messageId"]
        before = esito("status", str(first["messageId"]), "--json", cwd=tmp_path, **second["environ"])
        assert len(json.loads(before.stdout)["StatutResponse_List"]) == 16
    books = esito("check", cwd=tmp_path, ESITO_STORE_URL="sqlite:///kept/esito.db")
    assert (books.returncode, books.stdout) == (0, "The books balance.\n")


def test_a_message_is_sent_watched_and_shown(tmp_path: Path) -> None:
    with demo(tmp_path, "--speed", "20") as server:
        environ = server["environ"]
        words = ("--message", "Ciao", "--sender", "ESITO", "--tag", "cli")
        sent = esito("send", "--to", "+33612340001", "--to", "0612340002", *words, "--json", cwd=tmp_path, **environ)
        assert sent.returncode == 0, sent.stderr
        answer = json.loads(sent.stdout)
        assert (answer["segments"], answer["cost"], answer["currency"]) == (2, "0.09", "EUR")
        shown = esito("status", str(answer["messageId"]), "--watch", "--interval", "0.1", cwd=tmp_path, **environ)
        assert shown.returncode == 0, shown.stderr
        for word in ("+33612340001", "Delivered", "+33612340002", "Not delivered", "1 Delivered, 1 Not delivered"):
            assert word in shown.stdout
        xml = esito("status", str(answer["messageId"]), "--format", "xml", cwd=tmp_path, **environ)
        assert xml.stdout.startswith("<?xml version='1.0' encoding='UTF-8'?>")
        assert "<![CDATA[+33612340001]]>" in xml.stdout
        people = esito("send", "--to", "0612340001", *words, "--sandbox", cwd=tmp_path, **environ)
        assert people.stdout.startswith(f"Message {answer['messageId'] + 1}: 1 segment, 0 EUR")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("status", "999999999"), "Message introuvable (code 4)"),
        (("status", "999999999", "--format", "xml"), "Message introuvable (code 4)"),
        (("send", "--to", "+33612340001", "--message", "x", "--sender", "a!"), "(code 9)"),
        (("send", "--to", ",".join(["+33612340001"] * 501), "--message", "x"), "(code 50)"),
    ],
)
def test_what_the_server_refuses_is_one_sentence(
    tmp_path: Path, words: tuple[str, ...], sentence: str, shared_demo: dict[str, Any]
) -> None:
    refused = esito(*words, cwd=tmp_path, **shared_demo["environ"])
    assert (refused.returncode, refused.stdout) == (1, "")
    (line,) = refused.stderr.splitlines()
    assert line.startswith("Error: ")
    assert line.endswith(sentence)


def test_a_wrong_key_is_refused(tmp_path: Path, shared_demo: dict[str, Any]) -> None:
    refused = esito("status", "1", "--api-key", "wrong", "--url", shared_demo["url"], cwd=tmp_path)
    assert (refused.returncode, refused.stderr) == (1, "Error: Clé API incorrecte (code 10)\n")


@pytest.fixture(scope="module")
def shared_demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    with demo(tmp_path_factory.mktemp("demo")) as said:
        yield said


# -- the server --------------------------------------------------------------------------------


@pytest.fixture
def server(tmp_path: Path, smsc: int) -> Iterator[str]:
    """A server with a link to the simulator; its URL."""
    link_file(tmp_path, smsc)
    listen = f"127.0.0.1:{free_port()}"
    with (tmp_path / "esito.toml").open("a") as file:
        file.write(f'\n[http]\nlisten = "{listen}"\n[logs]\nformat = "json"\n')
    with running("serve", cwd=tmp_path) as process:
        wait_for(f"http://{listen}/readyz", process)
        yield f"http://{listen}"


def wait_for(url: str, process: subprocess.Popen[str]) -> None:
    """Return once the server is ready; it must not end before."""

    def ready() -> bool:
        assert process.poll() is None, "the server ended"
        try:
            return httpx.get(url, timeout=PATIENCE).is_success
        except httpx.TransportError:
            return False

    wait_until(ready)


def test_accounts_are_made_and_disabled_while_the_server_runs(tmp_path: Path, server: str) -> None:
    created = json.loads(esito("account", "create", "acme", "--json", cwd=tmp_path).stdout)
    environ = {"ESITO_URL": server, "ESITO_API_KEY": created["apiKey"]}
    sent = esito("send", "--to", "+33612340001", "--message", "Ciao", "--json", cwd=tmp_path, **environ)
    assert sent.returncode == 0, sent.stderr
    assert esito("account", "disable", "acme", cwd=tmp_path).returncode == 0
    refused = esito("send", "--to", "+33612340001", "--message", "Ciao", cwd=tmp_path, **environ)
    assert refused.stderr == "Error: Compte désactivé (code 20)\n"
    assert esito("account", "enable", "acme", cwd=tmp_path).returncode == 0
    assert esito("status", str(json.loads(sent.stdout)["messageId"]), cwd=tmp_path, **environ).returncode == 0


@pytest.mark.usefixtures("server")
def test_links_are_listed_with_their_state(tmp_path: Path) -> None:
    (alpha,) = json.loads(esito("link", "list", "--json", cwd=tmp_path).stdout)
    assert (alpha["name"], alpha["state"]) == ("alpha", "bound")
