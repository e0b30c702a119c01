"""The whole of it on loopback: NATS, PostgreSQL with standbys, and every role of Esito twice.

For `esito demo --cluster` and for the tests that kill its parts. Where a part of production would have a machine of
its own, it has a folder and ports here.
"""

import asyncio
import json
import os
import secrets
import sys
from dataclasses import dataclass
from pathlib import Path

from esito_cluster.nats import NatsCluster
from esito_cluster.patroni import PatroniCluster
from esito_cluster.process import Process, ProcessFailed
from esito_cluster.server import EsitoServer, without_settings

ROLES = {"api": 2, "gateway": 2, "worker": 2}

CONFIG = """\
[store]
url = {store}
secret = {secret}
[bus]
url = {bus}
monitors = {monitors}
[callbacks]
allow_private_networks = true
[clock]
pushable = {pushable}
[logs]
format = "json"
"""
LINK = """\
[[link]]
name = {name}
port = {port}
system_id = "smsc"
password = "secret"
operator = {operator}
rebind_max = 2.0
prefixes = {prefixes}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkTo:
    """A link of the installation to a simulator on loopback."""

    name: str
    port: int
    operator: str = "simulator"
    prefixes: tuple[str, ...] = ()


class Installation:
    """Everything that runs, in one folder."""

    def __init__(
        self,
        folder: Path,
        links: list[LinkTo],
        *,
        listen: str = "",
        pushable: bool = False,
        nats: NatsCluster | None = None,
        postgres: PatroniCluster | None = None,
    ) -> None:
        """`listen`: where the first api process is; `pushable`: as the setting of the clock.

        `nats`, `postgres`: other servers than those of loopback.
        """
        self.folder = folder
        self.config = folder / "esito.toml"
        self._links = links
        self._pushable = pushable
        self.nats = nats or NatsCluster(folder / "nats")
        self.postgres = postgres or PatroniCluster(folder / "postgres")
        self.servers = [
            EsitoServer(
                f"{role}{number}", role, folder, self.config, listen=listen if (role, number) == ("api", 1) else ""
            )
            for role, count in ROLES.items()
            for number in range(1, count + 1)
        ]

    def of(self, role: str) -> list[EsitoServer]:
        """Return the processes of a role."""
        return [server for server in self.servers if server.role == role]

    def named(self, name: str) -> EsitoServer:
        """Return one process."""
        return next(server for server in self.servers if server.name == name)

    # -- beginning and end --------------------------------------------------------------------

    async def start(self) -> None:
        """Start everything, and return when all of it is ready. Raises ProcessFailed, PostgresMissing, NatsMissing."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o711)  # root's servers of PostgreSQL run as another user, who must come through
        await asyncio.gather(self.nats.start(), self.postgres.start())
        if not self.config.exists():
            with os.fdopen(os.open(self.config, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(self._settings())
        await self.run("migrate")
        await asyncio.gather(*(server.start() for server in self.servers if not server.process.runs))

    async def stop(self) -> None:
        """Stop everything, those first who use the others."""
        await asyncio.gather(*(server.process.stop() for server in self.servers))
        await asyncio.gather(self.nats.stop(), self.postgres.stop())

    def _settings(self) -> str:
        text = CONFIG.format(
            store=_toml(self.postgres.url),
            secret=_toml(secrets.token_hex(32)),
            bus=_toml(",".join(self.nats.servers)),
            monitors=_toml(self.nats.monitors),
            pushable=_toml(self._pushable),
        )
        for link in self._links:
            words = {name: _toml(getattr(link, name)) for name in ("name", "operator", "prefixes")}
            text += LINK.format(port=link.port, **words)
        return text

    # -- its commands -------------------------------------------------------------------------

    async def run(self, *words: str, within: float = 60.0) -> str:
        """Run a command of Esito with these settings; return what it prints. Raises ProcessFailed."""
        command = [sys.executable, "-m", "esito", *words, "--config", str(self.config)]
        log = self.folder / f"command-{words[0]}.log"
        log.unlink(missing_ok=True)
        process = Process(" ".join(words), command, log=log, env=without_settings())
        await process.start()
        try:
            async with asyncio.timeout(within):
                code = await process.wait()
        finally:
            await process.kill()
        said = log.read_text(encoding="utf-8", errors="replace")
        if code:
            raise ProcessFailed(f"esito {' '.join(words)} ended with {code}: {said[-2000:]}")
        return said


def _toml(value: str | bool | list[str] | tuple[str, ...]) -> str:
    """Write a value as TOML does, which for these is as JSON does."""
    return json.dumps(value)
