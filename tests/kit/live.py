"""A real server process with an account, for tests that speak to it over a socket."""

import asyncio
import dataclasses
import json
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from esito_cluster.process import free_port
from tests.kit import commands
from tests.kit.patience import PATIENCE, wait_until


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveServer:
    """A running `esito serve`."""

    url: str
    api_key: str
    process: subprocess.Popen[str]
    config_path: Path

    def kill_and_restart(self) -> "LiveServer":
        """Kill the process without a word (`kill -9`) and start another on what it left behind."""
        self.process.kill()
        self.process.wait()
        return dataclasses.replace(self, process=_serve(self.config_path))

    @property
    def as_administrator(self) -> dict[str, str]:
        """Headers of an administrator's request."""
        return {"Authorization": f"Bearer {_admin_key(self.config_path)}"}

    @property
    def address(self) -> tuple[str, int]:
        host, _, port = self.url.partition("://")[2].partition(":")
        return host, int(port)

    def esito(self, *words: str) -> str:
        """Run a command on the server's configuration; return what it prints."""
        return commands.run(*words, "--config", str(self.config_path))

    def send(self, *numbers: str, **options: object) -> int:
        """Send a message; return its id."""
        body = {"apiKey": self.api_key, "phoneNumbers": ",".join(numbers), "message": "ciao", **options}
        return int(
            httpx.post(f"{self.url}/v1/send", json=body, timeout=PATIENCE).raise_for_status().json()["message_id"]
        )

    def status(self, message_id: int) -> httpx.Response:
        """Ask for the status of a message."""
        return httpx.get(
            f"{self.url}/v1/bulk-status", params={"apiKey": self.api_key, "messageId": message_id}, timeout=PATIENCE
        )

    def exchange(self, request: bytes, *, silence: float = PATIENCE) -> bytes:
        """Write octets to the server; return all it answers until it closes the connection or is silent for so long."""
        with socket.create_connection(self.address, timeout=PATIENCE) as peer:
            peer.settimeout(silence)
            answer = b""
            try:
                peer.sendall(request)
                while piece := peer.recv(65536):
                    answer += piece
            except TimeoutError:
                pass
            except ConnectionError:
                # It may close while we still write; what it said before is there to read.
                answer += _rest(peer)
            return answer


@cache
def _admin_key(config: Path) -> str:
    return str(json.loads(commands.run("admin", "create", "tests", "--json", "--config", str(config)))["adminKey"])


def _rest(peer: socket.socket) -> bytes:
    try:
        return peer.recv(65536)
    except OSError:
        return b""


@contextmanager
def live_server(
    directory: Path,
    *,
    account: str = "acme",
    credit: str = "100",
    smsc_port: int | None = None,
    link: dict[str, object] | None = None,
    **config: object,
) -> Iterator[LiveServer]:
    """Run a server in a directory until the block ends; then it must end well.

    `config` are settings as `section_name=value` (`clock_pushable=True`); with `smsc_port` it has a link `alpha` there,
    with the settings of `link`.
    """
    port = free_port()
    path = directory / "esito.toml"
    path.write_text(_toml(directory, port, smsc_port, config, link or {}), encoding="utf-8")
    made = commands.run("account", "create", account, "--credit", credit, "--json", "--config", str(path))
    process = _serve(path)
    server = LiveServer(
        url=f"{'https' if 'http_tls_cert' in config else 'http'}://127.0.0.1:{port}",
        api_key=json.loads(made)["apiKey"],
        process=process,
        config_path=path,
    )
    try:
        wait_until_alive(server)
        yield server
        if process.poll() == -signal.SIGKILL:  # by `kill_and_restart`, whose caller ends the last process
            return
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE) == 0, (directory / "server.log").read_text(encoding="utf-8")
    finally:
        process.kill()
        process.wait()


@asynccontextmanager
async def live_server_beside(directory: Path, **given: Any) -> AsyncIterator[LiveServer]:
    """Do as `live_server` in a loop that goes on: what it serves answers the server that begins and ends."""
    running = live_server(directory, **given)
    server = await asyncio.to_thread(running.__enter__)
    try:
        yield server
    except BaseException as error:
        await asyncio.to_thread(running.__exit__, type(error), error, error.__traceback__)
        raise
    await asyncio.to_thread(running.__exit__, None, None, None)


def _serve(config: Path) -> subprocess.Popen[str]:
    with (config.parent / "server.log").open("a", encoding="utf-8") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "esito", "serve", "--config", str(config)],
            stderr=log,
            text=True,
            env=commands.environment(),
        )


@contextmanager
def live_smsc(port: int, journal: Path | None = None, *, password: str = "secret") -> Iterator[None]:
    """Run the simulator on a port until the block ends; it accepts what `live_server` binds with."""
    words = ["smsc", "--listen", f"127.0.0.1:{port}", "--password", password, "--json"]
    if journal is not None:
        words += ["--log", str(journal)]
    process = subprocess.Popen(
        [sys.executable, "-m", "esito", *words],
        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=commands.environment(),
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["port"] == port
        yield
    finally:
        process.terminate()
        process.wait(PATIENCE)
        if process.stdout is not None:
            process.stdout.close()


def _toml(directory: Path, port: int, smsc_port: int | None, config: dict[str, object], link: dict[str, object]) -> str:
    sections: dict[str, dict[str, object]] = {
        "http": {"listen": f"127.0.0.1:{port}"},
        "store": {"url": f"sqlite:///{directory}/esito.db"},
        "logs": {"format": "json"},
    }
    for setting, value in config.items():
        section, _, name = setting.partition("_")
        sections.setdefault(section, {})[name] = value
    lines = [f"[{section}]\n{_lines(values)}" for section, values in sections.items()]
    if smsc_port is not None:
        link = {"name": "alpha", "port": smsc_port, "system_id": "smsc", "password": "secret", **link}
        lines.append(f"[[link]]\n{_lines(link)}")
    return "\n".join(lines)


def _lines(values: dict[str, object]) -> str:
    return "".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items())


def wait_until_alive(server: LiveServer) -> None:
    def answers() -> bool:
        assert server.process.poll() is None, "the server ended"
        try:
            return httpx.get(f"{server.url}/healthz", timeout=PATIENCE, verify=False).is_success
        except httpx.TransportError:
            return False

    wait_until(answers, "the server does not answer")
