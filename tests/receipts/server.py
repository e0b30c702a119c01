"""The server under test: a process of its own, quick to start, that may be killed at any moment."""

import asyncio
import json
import multiprocessing
import os
import re
import time
from datetime import UTC, datetime
from decimal import Decimal
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path
from typing import Any

import httpx

from esito import logs
from esito.app.error_tables import load_vocabulary
from esito.app.run import serve
from esito.app.wiring import key_secret, open_store
from esito.config import load
from esito.domain.credentials import key_digest, new_api_key
from esito.store.interface.store import CLOCK_OFFSET
from esito_cluster.process import free_port
from tests.kit.abroad import PRICED, let_abroad
from tests.kit.patience import PATIENCE
from tests.kit.place import Place
from tests.receipts.case import BEGIN, REBIND_MAX, TIME_SCALE, LinkPlan
from tests.receipts.spoiled import FaultyDisk

_context: ForkServerContext | None = None


def _processes() -> ForkServerContext:
    """Return where processes come from: one that has imported everything already."""
    global _context  # noqa: PLW0603  made at the first use, shared by all cases
    if _context is None:
        _context = multiprocessing.get_context("forkserver")
        _context.set_forkserver_preload(
            ["esito.store.postgres", "esito.receipt_log.jetstream", "tests.receipts.server"]
        )
    return _context


load_vocabulary()  # what every server reads at its start; in those that are made from this process it has been read


def warm_up() -> None:
    """Have a process ready that others are made from, before several threads want one."""
    process = _processes().Process(target=int)
    process.start()
    process.join()


def run_server(config: str, log: str, faults: str) -> None:
    """Serve until killed or told to stop; the body of the process. `faults`: the file that spoils its disk, or ''."""
    disk = FaultyDisk(Path(faults)) if faults else None  # kept as long as the process lives
    for name in [name for name in os.environ if name.startswith("ESITO_")]:
        del os.environ[name]
    with Path(log).open("a", encoding="utf-8", buffering=1) as stream:
        logs.configure(level="info", form="json", stream=stream)
        asyncio.run(serve(load(Path(config), {})))
    del disk


def _toml(value: Any) -> str:
    """Return a value as TOML writes it."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(name)} = {_toml(one)}" for name, one in value.items()) + "}"
    if isinstance(value, list):
        return f"[{', '.join(_toml(one) for one in value)}]"
    return json.dumps(value)


class Server:
    """`esito serve` on a folder of its own, its clock at the beginning of the case."""

    def __init__(
        self,
        folder: Path,
        place: Place,
        links: list[tuple[LinkPlan, int]],
        prefixes: dict[str, list[str]],
        *,
        begin: datetime = BEGIN,
        faults: str = "",
    ) -> None:
        """`links`: each with the port of its operator; `prefixes`: which numbers leave by it.

        `faults`: the file that says how its disk fails, where it is to fail.
        """
        self._faults = faults
        self.folder = folder
        self.key = new_api_key()
        self.admin_key = new_api_key()
        self.port = free_port()
        self.config = folder / "esito.toml"
        self.log = folder / "server.log"
        self.config.write_text(self._toml(place, links, prefixes), encoding="utf-8")
        # The environment is not looked at: cases are played in threads, and who runs the tests changes it meanwhile.
        url = f"http://127.0.0.1:{self.port}"
        self.http = httpx.AsyncClient(base_url=url, timeout=PATIENCE, verify=False, trust_env=False)
        self.pushed_ms = 0
        self._offset_ms = int(begin.timestamp() * 1000 - time.time() * 1000)
        self._process: ForkServerProcess | None = None

    def _toml(self, place: Place, links: list[tuple[LinkPlan, int]], prefixes: dict[str, list[str]]) -> str:
        sections = [
            f'[http]\nlisten = "127.0.0.1:{self.port}"\n',
            place.sections,
            "[clock]\npushable = true\n",
            PRICED,
        ]
        for plan, port in links:
            settings: dict[str, Any] = {
                "name": plan.name,
                "operator": plan.operator,
                "port": port,
                "system_id": "smsc",
                "password": "secret",
                "rebind_max": REBIND_MAX / TIME_SCALE,
                "prefixes": prefixes.get(plan.name, []),
                **plan.settings,
            }
            lines = "".join(f"{name} = {_toml(value)}\n" for name, value in settings.items())
            sections.append(f"[[link]]\n{lines}")
        return "\n".join(sections)

    async def prepare(self) -> None:
        """Make the store: an account, and the clock where the case begins."""
        settings = load(self.config, {})
        async with open_store(settings) as store:
            digest = key_digest(self.key, key_secret(settings))
            account = await store.create_account("torture", credit=Decimal(10**6), key_digest=digest, at=0)
            await let_abroad(store, account)
            opens = key_digest(self.admin_key, key_secret(settings))
            await store.administrators.create("tests", key_digest=opens, networks=(), actor="cli:tests", at=0)
            await store.keep_setting(CLOCK_OFFSET, str(self._offset_ms))

    async def start(self) -> None:
        self._process = _processes().Process(target=run_server, args=(str(self.config), str(self.log), self._faults))
        self._process.start()
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                if (await self.http.get("/healthz")).is_success:
                    return
            except httpx.TransportError:
                if time.monotonic() > deadline or not self._process.is_alive():
                    raise
            await asyncio.sleep(0.02)

    async def kill(self) -> None:
        """`kill -9`."""
        if self._process is not None:
            self._process.kill()
            await asyncio.to_thread(self._process.join)

    async def stop(self) -> None:
        """SIGTERM."""
        if self._process is not None:
            self._process.terminate()
            await asyncio.to_thread(self._process.join, PATIENCE)

    async def close(self) -> None:
        await self.kill()
        await self.http.aclose()

    @property
    def is_alive(self) -> bool:
        """Whether the process runs."""
        return self._process is not None and self._process.is_alive()

    @property
    def pid(self) -> int:
        """Its process."""
        assert self._process is not None
        assert self._process.pid is not None
        return self._process.pid

    @property
    def now(self) -> datetime:
        """The server's clock."""
        return datetime.fromtimestamp((time.time() * 1000 + self._offset_ms + self.pushed_ms) / 1000, UTC)

    @property
    def rss_mb(self) -> float:
        """Resident memory, megabytes."""
        if self._process is None:
            return 0.0
        status = Path(f"/proc/{self._process.pid}/status").read_text(encoding="ascii")
        return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS:"))

    async def has_applied_all(self) -> bool:
        """Tell whether nothing waits in the log, if there is one, and the gateway knows it."""
        told = (await self.http.get("/metrics", headers=self._as_administrator)).text
        waiting = re.findall(r"^esito_(?:log_frames_waiting|spool_frames_unconfirmed) (\S+)", told, re.MULTILINE)
        return not any(float(one) for one in waiting)

    # -- what a client does ---------------------------------------------------------------------

    async def send(self, numbers: list[str], text: str) -> int:
        """Send a message that asks for callbacks; return its id."""
        body = {
            "apiKey": self.key,
            "phoneNumbers": ",".join(f"+{number}" for number in numbers),
            "message": text,
            "urlDlr": "http://localhost:8999/dlr",
        }
        answer = await self.http.post("/v1/send", json=body)
        assert answer.status_code == 200, answer.text
        return int(answer.json()["message_id"])

    async def statuses(self, message_id: int) -> dict[str, str]:
        """Return the v1 status of every recipient of a message, by number without plus."""
        answer = await self.http.get("/v1/bulk-status", params={"apiKey": self.key, "messageId": message_id})
        return {one["phoneNumber"].lstrip("+"): one["status"] for one in answer.json()["StatutResponse_List"]}

    async def get(self, path: str) -> Any:
        """Ask the second path."""
        answer = await self.http.get(path, headers={"Authorization": f"Bearer {self.key}"})
        return answer.json()

    async def told(self, path: str) -> Any:
        """Ask what the installation tells its administrators."""
        return (await self.http.get(path, headers=self._as_administrator)).json()

    @property
    def _as_administrator(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.admin_key}"}

    async def advance(self, milliseconds: int) -> None:
        """Push the clock."""
        answer = await self.http.post(
            "/v2/clock/advance",
            json={"seconds": milliseconds / 1000},
            headers=self._as_administrator,
        )
        assert answer.is_success, answer.text
        self.pushed_ms += milliseconds
