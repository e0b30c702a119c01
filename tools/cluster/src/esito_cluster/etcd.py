"""etcd, in which Patroni keeps who is the primary: one server here, three in production."""

import asyncio
import os
import platform
import shutil
from pathlib import Path

from esito_cluster.asking import ask
from esito_cluster.process import Process, ProcessFailed, free_port

READY_WITHIN = 60.0


class EtcdMissing(Exception):
    """etcd is not installed: `apt-get install etcd-server`, or put etcd into PATH."""

    def __init__(self) -> None:
        super().__init__(self.__doc__)


class Etcd:
    """One server, with its folder and its ports, which stay the same over restarts."""

    def __init__(self, folder: Path, host: str = "127.0.0.1") -> None:
        self.address = f"{host}:{free_port()}"
        self._folder = folder
        self._process: Process | None = None

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{self.address}"

    async def start(self) -> None:
        """Start it unless it runs, and wait until it is ready. Raises ProcessFailed, EtcdMissing."""
        if self._process is None:
            self._process = self._made()
        if not self._process.runs:
            await self._process.start()
        try:
            async with asyncio.timeout(READY_WITHIN):
                while (await ask(f"{self.url}/health")).get("health") != "true":
                    self._process.pid  # noqa: B018  raises once it has ended
                    await asyncio.sleep(0.05)
        except TimeoutError:
            raise ProcessFailed(f"etcd is not ready; see {self._process.log}") from None

    async def stop(self) -> None:
        """Stop it."""
        if self._process is not None:
            await self._process.stop()

    def _made(self) -> Process:
        program = shutil.which("etcd")
        if program is None:
            raise EtcdMissing
        self._folder.mkdir(parents=True, exist_ok=True)
        peers = f"http://127.0.0.1:{free_port()}"
        words = {
            "name": "etcd1",
            "data-dir": self._folder / "data",
            "listen-client-urls": self.url,
            "advertise-client-urls": self.url,
            "listen-peer-urls": peers,
            "initial-advertise-peer-urls": peers,
            "initial-cluster": f"etcd1={peers}",
            "logger": "zap",
        }
        settings: dict[str, str | None] = {name: None for name in os.environ if name.startswith("ETCD_")}
        if platform.machine() == "aarch64":  # which etcd before 3.5 asks for
            settings["ETCD_UNSUPPORTED_ARCH"] = "arm64"
        options = [f"--{name}={value}" for name, value in words.items()]
        return Process("etcd", [program, *options], log=self._folder / "log", env=settings)
