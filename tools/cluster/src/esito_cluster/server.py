"""One process of Esito with a role, its address and its log."""

import asyncio
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path

from esito_cluster.process import Process, ProcessFailed, free_port

READY_WITHIN = 60.0


class EsitoServer:
    """`esito serve` with a role; the settings file is shared, what is this process's own comes by the environment."""

    def __init__(self, name: str, role: str, folder: Path, config: Path, *, listen: str = "") -> None:
        """`listen`: its address; empty for a free port of loopback."""
        self.name = name
        self.role = role
        self.address = listen or f"127.0.0.1:{free_port()}"
        words = [sys.executable, "-m", "esito", "serve", "--config", str(config), "--role", role]
        own = {"ESITO_HTTP_LISTEN": self.address, "ESITO_BUS_SPOOL": str(folder / f"spool-{name}")}
        self.process = Process(name, words, log=folder / f"{name}.log", env=without_settings() | own)

    @property
    def url(self) -> str:
        """Where it answers: clients, if that is its role, and always monitors."""
        return f"http://{self.address}"

    @property
    def log(self) -> str:
        """What it has said."""
        return self.process.log.read_text(encoding="utf-8", errors="replace")

    async def start(self) -> None:
        """Start it and wait until it is ready. Raises ProcessFailed."""
        await self.process.start()
        await self.await_ready()

    async def await_ready(self, within: float = READY_WITHIN) -> None:
        """Wait until it is ready. Raises ProcessFailed."""
        try:
            async with asyncio.timeout(within):
                while not await self.ready():
                    self.process.pid  # noqa: B018  raises once it has ended
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise ProcessFailed(f"{self.name} is not ready after {within:.0f} s; see {self.process.log}") from None

    async def ready(self) -> bool:
        """Tell whether it says that it can do its work."""
        return (await self.ask("/readyz"))[0] == 200

    async def ask(self, path: str, *, within: float = 5.0, headers: Mapping[str, str] | None = None) -> tuple[int, str]:
        """Ask it by GET; return status and body, 0 when it does not answer."""
        request = urllib.request.Request(self.url + path, headers=dict(headers or {}))  # noqa: S310  our own address
        return await asyncio.to_thread(_get, request, within)


def without_settings() -> dict[str, str | None]:
    """Take away the settings that whoever started us has in the environment."""
    return {name: None for name in os.environ if name.startswith("ESITO_")}


def _get(request: urllib.request.Request, within: float) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(request, timeout=within) as answer:  # noqa: S310  our own address
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except (OSError, ValueError):
        return 0, ""
