"""HTTPS, and a certificate that is changed while requests are answered."""

import signal
import socket
import ssl
import subprocess
import threading
from pathlib import Path

import httpx

from esito_cluster.process import free_port
from tests.kit.needs import needs
from tests.kit.patience import PATIENCE
from tests.torture.house import House, until
from tests.torture.witness import Witness


def certificate(folder: Path, name: str) -> None:
    """Write `cert.pem` and `key.pem`, self-signed, for localhost, and with a name that tells them apart."""
    fresh = {word: folder / f"{word}.{name}" for word in ("cert", "key")}
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
         "-subj", f"/CN={name}", "-addext", "subjectAltName=DNS:localhost", "-keyout", fresh["key"],
         "-out", fresh["cert"]],
        check=True, capture_output=True,
    )  # fmt: skip
    for word, path in fresh.items():
        path.replace(folder / f"{word}.pem")


def shown(port: int) -> str:
    """Return whose certificate a new connection is shown; nobody's where it ends before that.

    Two servers listen for a moment: a connection that waits for the one that ends is closed, and is made once more.
    """
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as plain,
            context.wrap_socket(plain, server_hostname="localhost") as connection,
        ):
            der = connection.getpeercert(binary_form=True)
    except (ConnectionError, ssl.SSLEOFError):
        return ""
    assert der is not None
    return "new" if b"new.example" in der else "old"


class Asker(threading.Thread):
    """Asks without pause, half of the time on a connection that is kept."""

    def __init__(self, url: str) -> None:
        super().__init__(daemon=True)  # a test that fails does not wait for it
        self.url = url
        self.answered = 0
        self.failed: list[str] = []
        self.ending = threading.Event()

    def run(self) -> None:
        with client() as kept:
            while not self.ending.is_set():
                try:
                    self.answered += self._ask(kept).status_code == 200
                    with client() as fresh:
                        self.answered += self._ask(fresh).status_code == 200
                except httpx.HTTPError as error:
                    self.failed.append(repr(error))

    def _ask(self, asking: httpx.Client) -> httpx.Response:
        """Ask; where the connection was closed before the request had come, once more (RFC 9112, 9.3.1)."""
        try:
            return asking.get(f"{self.url}/healthz")
        except (httpx.RemoteProtocolError, httpx.ConnectError):
            return asking.get(f"{self.url}/healthz")


def client() -> httpx.Client:
    return httpx.Client(verify=False, timeout=PATIENCE)  # self-signed


@needs("openssl")
def test_a_certificate_is_changed_while_requests_are_answered_and_links_stay(tmp_path: Path) -> None:
    certificate(tmp_path, "old.example")
    port = free_port()
    with (
        Witness() as witness,
        House(folder=tmp_path, database=tmp_path / "esito.db", links={"alpha": witness.port}, http=port) as house,
    ):
        text = house.config.read_text(encoding="utf-8")
        tls = f'tls_cert = "{tmp_path}/cert.pem"\ntls_key = "{tmp_path}/key.pem"\n'
        house.config.write_text(text.replace("[http]\n", f"[http]\n{tls}", 1), encoding="utf-8")
        with (tmp_path / "log").open("w") as log_file:
            process = subprocess.Popen(house.words(), stderr=log_file)
        house.process = process
        until(lambda: witness.bound == 1)
        until(lambda: shown(port) == "old")
        asker = Asker(f"https://127.0.0.1:{port}")
        asker.start()
        until(lambda: asker.answered > 5)
        certificate(tmp_path, "new.example")
        process.send_signal(signal.SIGHUP)
        until(lambda: shown(port) == "new")
        since = asker.answered
        until(lambda: asker.answered > since + 10)
        log = tmp_path / "log"
        until(lambda: "certificate_reloaded" in log.read_text(encoding="utf-8"))  # until then the old one listens too
        (tmp_path / "cert.pem").write_text("no certificate", encoding="ascii")
        process.send_signal(signal.SIGHUP)
        until(lambda: "certificate_refused" in log.read_text(encoding="utf-8"))
        assert shown(port) == "new", "a certificate that cannot be used changes nothing"
        asker.ending.set()
        asker.join()
        assert asker.answered > 20
        assert asker.failed == []
        assert witness.bound == 1, "the link was bound anew"
        process.terminate()
        assert process.wait(PATIENCE) == 0
