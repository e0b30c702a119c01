"""A real server process to measure, and the data it starts with."""

import asyncio
import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from esito.app.wiring import key_secret, open_store
from esito.config import load
from esito.domain.credentials import key_digest, new_api_key
from esito.domain.message import NewMessage, NewRecipient, Range, SubmitAnswer, SubmitOutcome
from esito.store.interface.link_store import LinkRecord

CONFIG = """
[http]
listen = "127.0.0.1:{port}"
per_address = 0
[store]
{store}
[logs]
level = "warning"
[[link]]
name = "bench"
host = "127.0.0.1"
port = {smsc_port}
system_id = "smsc"
password = "secret"
window = {window}
"""

FIRST_SMSC_ID = 7_300_000
"""Where the operator counts on from, in decimal."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class Workplace:
    """A folder with a configuration, a database and a key."""

    folder: Path
    port: int
    smsc_port: int
    key: str

    @property
    def config(self) -> Path:
        return self.folder / "esito.toml"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def bytes_on_disk(self) -> int:
        return sum(path.stat().st_size for path in self.folder.glob("esito.db*"))


def workplace(
    folder: Path,
    *,
    messages: int = 0,
    recipients: int = 500,
    answered: bool = False,
    window: int = 1000,
    store: str = "",
    sections: str = "",
) -> Workplace:
    """Make a database with so many messages; `answered`: each segment has its SMSC id, from FIRST_SMSC_ID on.

    `store`: the lines of its section, when it is not a SQLite file; `sections`: more of the configuration.
    """
    folder.mkdir(parents=True)
    place = Workplace(folder=folder, port=free_port(), smsc_port=free_port(), key=new_api_key())
    store = store or f'url = "sqlite:///{folder}/esito.db"'
    text = CONFIG.format(port=place.port, smsc_port=place.smsc_port, store=store, window=window)
    place.config.write_text(text + sections, encoding="utf-8")
    asyncio.run(_fill(place, messages, recipients, answered=answered))
    return place


async def _fill(place: Workplace, messages: int, recipients: int, *, answered: bool) -> None:
    settings = load(place.config, {})
    async with open_store(settings) as store:
        digest = key_digest(place.key, key_secret(settings))
        account = await store.create_account("bench", credit=Decimal(10**7), key_digest=digest, at=0)
        numbers = await store.register_links([LinkRecord(name="bench", operator="bench")])
        now = int(time.time() * 1000)
        for _ in range(messages):
            await store.accept(
                NewMessage(
                    account_id=account.id,
                    created_at=now,
                    due_at=now,
                    sender="ESITO",
                    gamme=Range.PREMIUM,
                    texts=("What happened to every recipient of my message?",),
                    unicode=False,
                    recipients=[
                        NewRecipient(33600000000 + seq, numbers["bench"], 0, 1, 45_000) for seq in range(recipients)
                    ],
                )
            )
        number = FIRST_SMSC_ID
        while answered and (claimed := await store.claim("bench", limit=1000, at=now)):
            answers = [
                SubmitAnswer(ref=one.ref, answer=SubmitOutcome.ACCEPTED, at=now, smsc_message_id=str(number + place_))
                for place_, one in enumerate(claimed)
            ]
            number += len(claimed)
            await store.record_answers("bench", answers)


@contextlib.contextmanager
def running(place: Workplace, *words: str, port: int | None = None) -> Iterator[subprocess.Popen[bytes]]:
    """Run `esito serve` until the block ends; `words` are more of its command, `port` is instead of the place's."""
    port = port or place.port
    listen = {"ESITO_HTTP_LISTEN": f"127.0.0.1:{port}"}
    command = [sys.executable, "-m", "esito", "serve", "--config", str(place.config), *words]
    process = subprocess.Popen(command, env=os.environ | listen)
    try:
        _wait_until_alive(port, process)
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(timeout=30)


def _wait_until_alive(port: int, process: subprocess.Popen[bytes]) -> None:
    give_up = time.monotonic() + 60
    while time.monotonic() < give_up:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=1):
            return
        time.sleep(0.05)
    raise RuntimeError("the server does not answer")


def resident_mb(process: subprocess.Popen[bytes]) -> float:
    """Return the resident memory of a process in megabytes."""
    for line in Path(f"/proc/{process.pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


def get_json(url: str) -> dict[str, object]:
    with urllib.request.urlopen(url, timeout=10) as answer:
        found: dict[str, object] = json.load(answer)
        return found


def environment() -> str:
    """Say on what machine this ran, as far as a figure needs it."""
    model = next(
        (
            line.split(":")[1].strip()
            for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
            if line.startswith("model name")
        ),
        "unknown processor",
    )
    return f"{os.cpu_count()} cores, {model}, Python {sys.version.split()[0]}"
