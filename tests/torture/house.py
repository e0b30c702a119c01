"""A server to torture, those who send through it, and what must be found in its store afterwards."""

import json
import random
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import httpx

from esito_cluster.process import free_port
from tests.kit import commands
from tests.kit.abroad import PRICED
from tests.kit.patience import PATIENCE, moment
from tests.kit.patience import wait_until as until
from tests.kit.place import Place
from tests.kit.tables import SqliteTables, tables_at
from tests.torture.witness import Witness

__all__ = ["OPERATOR", "House", "Promised", "Sender", "Sent", "a_chance", "promised", "until"]

OPERATOR = 'operator = "witness"'


@dataclass(slots=True, kw_only=True)
class House:
    """`esito serve` on a folder, begun anew as often as a test wants."""

    folder: Path
    database: Path
    links: Mapping[str, int]
    """The port of each link; all belong to one operator, unless `link_settings` names another."""
    operator_host: str = "127.0.0.1"
    link_settings: Mapping[str, str] = field(default_factory=dict)
    """More lines of a `[[link]]`, by its name."""
    pushable: bool = False
    place: Place | None = None
    """Where it keeps its things; in the file `database` when it is None."""
    http: int = field(default_factory=free_port)
    key: str = ""
    admin_key: str = ""
    process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        place = self.place or Place(f"sqlite:///{self.database}", f'[store]\nurl = "sqlite:///{self.database}"')
        sections = [
            f'[http]\nlisten = "127.0.0.1:{self.http}"',
            place.sections,
            '[logs]\nformat = "json"',
            f"[clock]\npushable = {str(self.pushable).lower()}",
            PRICED,
        ]
        sections += [
            f'[[link]]\nname = "{name}"\nhost = "{self.operator_host}"\nport = {port}\n'
            f'system_id = "smsc"\npassword = "secret"\n{self.link_settings.get(name, OPERATOR)}'
            for name, port in self.links.items()
        ]
        self.config.write_text("\n".join(sections) + "\n", encoding="utf-8")
        self.key = json.loads(self.esito("account", "create", "acme", "--credit", "1000000", "--json"))["apiKey"]
        self.esito("account", "set", "acme", "countries=*")
        self.admin_key = json.loads(self.esito("admin", "create", "tests", "--json"))["adminKey"]
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def config(self) -> Path:
        return self.folder / "esito.toml"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http}"

    @property
    def log(self) -> str:
        return (self.folder / "server.log").read_text(encoding="utf-8")

    def start(self, *, before: Sequence[str] = (), body: Sequence[str] = ("-m", "esito"), **environment: str) -> None:
        """Begin a process and wait until it answers; `before` are words of a program that runs it."""
        words = [*before, *self.words(body)]
        with (self.folder / "server.log").open("a", encoding="utf-8") as log:
            self.process = subprocess.Popen(words, stderr=log, env=commands.environment() | environment)
        until(self._answers, "the server does not answer")

    def _answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log[-2000:]
        try:
            return httpx.get(f"{self.url}/healthz", timeout=PATIENCE).is_success
        except httpx.TransportError:
            return False

    def words(self, body: Sequence[str] = ("-m", "esito")) -> list[str]:
        """Return the command that begins the server."""
        return [sys.executable, *body, "serve", "--config", str(self.config)]

    def kill(self) -> None:
        """`kill -9`."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def freeze(self) -> None:
        """SIGSTOP: no thread returns from the kernel any more."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)

    def stop(self) -> None:
        """SIGTERM."""
        assert self.process is not None
        self.process.terminate()
        assert self.process.wait(PATIENCE) == 0, self.log[-2000:]

    def esito(self, *words: str) -> str:
        return commands.run(*words, "--config", str(self.config))

    def ready(self) -> httpx.Response:
        return httpx.get(f"{self.url}/readyz", headers=self.as_administrator, timeout=PATIENCE)

    @property
    def as_administrator(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.admin_key}"}

    def bound(self) -> bool:
        """Return whether every link is bound for sending."""
        answer = httpx.get(f"{self.url}/v2/links", headers=self.as_administrator, timeout=PATIENCE)
        return all(binding["state"] == "bound" for link in answer.json()["links"] for binding in link["sessions"])

    def status(self, message_id: int) -> httpx.Response:
        return httpx.get(
            f"{self.url}/v1/bulk-status", params={"apiKey": self.key, "messageId": message_id}, timeout=PATIENCE
        )

    def has_applied_all(self) -> bool:
        """Tell whether nothing waits in a log, if there is one, and the gateway knows it."""
        told = httpx.get(f"{self.url}/metrics", headers=self.as_administrator, timeout=PATIENCE).text
        waiting = re.findall(r"^esito_(?:log_frames_waiting|spool_frames_unconfirmed) (\S+)", told, re.MULTILINE)
        return not any(float(one) for one in waiting)

    @property
    def rss_mb(self) -> float:
        assert self.process is not None
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS:"))


def a_chance() -> random.Random:
    """Return chance that can be repeated: pytest shows its seed when the test fails."""
    seed = random.randrange(1 << 32)
    sys.stdout.write(f"random.Random({seed})\n")
    return random.Random(seed)


@dataclass(frozen=True, slots=True)
class Sent:
    """A send that was answered."""

    at: float
    status: int
    text: str


class Sender(threading.Thread):
    """Sends without pause, each number once, and remembers what was answered."""

    def __init__(self, house: House, *, pause: float = 0.01, count: int = 20) -> None:
        super().__init__(daemon=True)
        self.house = house
        self.pause = pause
        self.count = count
        self.accepted: dict[int, tuple[float, str, list[str]]] = {}
        """By message id: when it was answered, its text, its numbers."""
        self.refused: list[Sent] = []
        self._stopping = threading.Event()
        self._numbers = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Send no more."""
        self._stopping.set()
        self.join()

    def run(self) -> None:
        with httpx.Client(base_url=self.house.url, timeout=PATIENCE) as client:
            while not self._stopping.wait(self.pause):
                first, self._numbers = self._numbers, self._numbers + self.count
                numbers = [f"+336{number:08d}" for number in range(first, first + self.count)]
                text = f"torture {first:08d}"
                body = {"apiKey": self.house.key, "phoneNumbers": ",".join(numbers), "message": text,
                        "urlDlr": "https://example.org/dlr"}  # fmt: skip
                try:
                    answer = client.post("/v1/send", json=body)
                except httpx.TransportError:
                    time.sleep(0.02)
                    continue
                at = moment()
                if answer.status_code == 200:
                    self.accepted[answer.json()["message_id"]] = (at, text, numbers)
                else:
                    self.refused.append(Sent(at, answer.status_code, answer.text))


@dataclass(frozen=True, slots=True)
class Promised:
    """What was answered up to now."""

    messages: dict[int, list[str]]
    receipts: list[str]

    def missing(self, store: Path | str) -> list[str]:
        """Return what a store does not hold: a SQLite file, or what a URL names."""
        tables = SqliteTables(store) if isinstance(store, Path) else tables_at(store)
        found: dict[int, list[str]] = {}
        for message_id, msisdn in tables.rows("SELECT message_id, msisdn FROM recipient ORDER BY message_id, seq"):
            found.setdefault(message_id, []).append(f"+{msisdn}")
        trail = {smsc_id for (smsc_id,) in tables.rows("SELECT smsc_id FROM trail")}
        tables.close()
        lost = [f"message {number}" for number, numbers in self.messages.items() if found.get(number) != numbers]
        return lost + [f"receipt {smsc_id}" for smsc_id in self.receipts if smsc_id not in trail]


def promised(sender: Sender, witness: Witness) -> Promised:
    return Promised(
        {message_id: numbers for message_id, (_, _, numbers) in list(sender.accepted.items())},
        [one.smsc_id for one in witness.acknowledged],
    )
