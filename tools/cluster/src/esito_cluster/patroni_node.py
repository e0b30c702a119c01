"""One node of a cluster that Patroni keeps: Patroni, and the PostgreSQL that it starts, stops and promotes."""

import json
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from esito_cluster.asking import ask
from esito_cluster.families import family_of, signal_all
from esito_cluster.places import LOOPBACK, Place
from esito_cluster.postgres_programs import USER, give_away
from esito_cluster.process import Process, ProcessFailed, free_port

NAME = "esito"
"""The superuser, and the database."""

SOON = {"ttl": 20, "loop_wait": 1, "retry_timeout": 9}
"""The least that Patroni takes, so that whoever looks on need not wait; patience with etcd as long as that allows."""

NO_SYNC = "no-sync"
"""An option of initdb and pg_basebackup: what they make can be made again, so it need not wait for the disk."""

SMALL = {"max_connections": 100, "wal_keep_size": "256MB", "max_slot_wal_keep_size": "1GB", "max_wal_size": "1GB"}


class PatroniNode:
    """A node with its folder and its ports, which stay the same over restarts."""

    def __init__(self, name: str, folder: Path, place: Place = LOOPBACK) -> None:
        self.name = name
        self.host = place.host
        self.port, self._rest_port = free_port(), free_port()
        self._folder = folder.absolute()
        self.config = self._folder / "patroni.yml"
        self.log = self._folder / "log"
        self._before = place.before
        self._process: Process | None = None

    @property
    def url(self) -> str:
        """The database of this server, whatever its role."""
        return f"postgresql://{NAME}@{self.host}:{self.port}/{NAME}"

    @property
    def rest(self) -> str:
        """Where Patroni answers: HAProxy asks `/primary` there, `patronictl` the rest."""
        return f"http://{self.host}:{self._rest_port}"

    @property
    def runs(self) -> bool:
        """Whether its Patroni was started and has not ended."""
        return self._process is not None and self._process.runs

    async def members(self) -> list[dict[str, Any]]:
        """Return what its Patroni says of all members; empty while it does not answer."""
        told: list[dict[str, Any]] = (await ask(f"{self.rest}/cluster")).get("members", [])
        return told

    # -- its settings -------------------------------------------------------------------------

    def configure(self, etcd: str, hosts: Sequence[str], *, programs: Path) -> None:
        """Write its settings: those of patroni.yml, with addresses of its own and without passwords among `hosts`."""
        settings = yaml.safe_load(files(__package__).joinpath("patroni.yml").read_text(encoding="utf-8"))
        settings["name"] = self.name
        settings["restapi"] |= dict.fromkeys(("listen", "connect_address"), f"{self.host}:{self._rest_port}")
        settings["etcd3"] = {"hosts": etcd}
        settings["watchdog"] = {"mode": "off"}
        asked = settings["bootstrap"]["dcs"]
        asked.update(SOON)
        asked["postgresql"]["parameters"].update(SMALL)
        asked["postgresql"]["pg_hba"] = [
            f"host {what} all {host}/32 trust" for host in hosts for what in ("all", "replication")
        ]
        settings["bootstrap"]["initdb"] += [{"username": NAME}, NO_SYNC]
        settings["postgresql"] |= {
            "listen": f"{self.host}:{self.port}",
            "connect_address": f"{self.host}:{self.port}",
            "data_dir": str(self._folder / "data"),
            "bin_dir": str(programs),
            "authentication": {"superuser": {"username": NAME}, "replication": {"username": "replicator"}},
            "parameters": {"unix_socket_directories": ""},
            "basebackup": [NO_SYNC],
        }
        give_away(self._folder)
        self.config.write_text(json.dumps(settings, indent=1))  # which is YAML, too

    # -- its processes ------------------------------------------------------------------------

    async def start(self, patroni: Path) -> None:
        """Start Patroni, which starts the server; return at once."""
        words = [*self._before, sys.executable, "-m", "esito_cluster.guard", USER, str(patroni), str(self.config)]
        settings = {name: None for name in os.environ if name.startswith("PATRONI_")}
        self._process = Process(self.name, words, log=self.log, env=settings, at_our_end=signal.SIGHUP)
        await self._process.start()

    async def kill(self) -> None:
        """Kill Patroni, the server, and every process of theirs, as when the machine dies."""
        if self._process is not None and self._process.runs:
            with suppress(ProcessLookupError):  # it has ended by itself, and nobody has told us yet
                self._process.send(signal.SIGHUP)
            await self._process.wait()

    def send_server(self, number: signal.Signals) -> None:
        """Send a signal to every process of PostgreSQL, and none to Patroni."""
        postmaster = int((self._folder / "data" / "postmaster.pid").read_text().split()[0])
        signal_all([postmaster, *family_of(postmaster)], number)

    def send(self, number: signal.Signals) -> None:
        """Send a signal to all of its processes: SIGSTOP pauses the node, SIGCONT lets it go on."""
        with suppress(ProcessFailed):
            signal_all(family_of(self._guard()), number)

    def _guard(self) -> int:
        if self._process is None:
            raise ProcessFailed(f"{self.name} was not started")
        return self._process.pid

    def require_running(self) -> None:
        """Raise ProcessFailed when it has ended."""
        self._guard()
