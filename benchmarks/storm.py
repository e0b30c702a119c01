"""`make storm`: operators that throttle, are full, swallow, unbind, refuse and go away, under a steady load.

Two accounts send through the HTTP API: `campaigns` to a hundred numbers at a time, `logins` to one. In the end every
operator is well and what waits is sent. It prints how long each message waited and what each link did, and ends with
exit status 1 when something does not hold: the books, a message lost or sent twice, a receipt acknowledged and lost,
a link below 80 % of what its operator would take once that has been well for 60 s.
"""

import argparse
import asyncio
import itertools
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import apsw

from benchmarks.server import Workplace, free_port, running
from benchmarks.storm_plan import FULL_PREFIXES, OPERATORS, PLAN, Gust, pressed, well_spells
from benchmarks.storm_report import Offered, Pace, Told, faults, lines, paces, taken_of
from esito.app.wiring import key_secret, open_store
from esito.client.aio import AsyncClient
from esito.client.models import ClientError
from esito.config import load
from esito.domain.credentials import key_digest, new_api_key
from esito.domain.states import MessageState
from esito.domain.timing import PushableClock
from esito.simulator.behaviour import Behaviour, Delay
from esito.simulator.ids import IdKind
from esito.simulator.smsc import Smsc, SmscSettings
from esito.store.sqlite.sqlite_connection import connect

ACCOUNTS = ("campaigns", "logins")
TEXT = "What happened to every recipient of my message?"
TOGETHER = 100
"""Recipients of a message of the campaigns."""

KINDS = (IdKind.COUNTER, IdKind.HEX, IdKind.DECIMAL, IdKind.UUID)
"""How each operator makes its ids."""

_CONFIG = """
[http]
listen = "127.0.0.1:{port}"
per_address = 0
[store]
url = "sqlite:///{folder}/esito.db"
[logs]
level = "error"
"""
_LINK = """
[[link]]
name = "link{number}"
port = {port}
system_id = "smsc"
password = "secret"
throughput = {per_second}
response_timeout = {response_timeout}
enquire_interval = 5
prefixes = ["+336{number}"]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Weather:
    """How hard it blows, and for how long."""

    seconds: float = 600.0
    per_second: int = 50
    """What each operator takes, and each link's `throughput`."""
    load: float = 0.7
    """Of that, what is sent to each."""
    well_for: float = 60.0
    """Seconds an operator must have been well before its link is judged."""
    drain: float = 240.0
    """Seconds in which what waits in the end must have been sent."""
    response_timeout: float = 10.0


@dataclass(slots=True)
class Sky:
    """What goes on."""

    weather: Weather
    folder: Path
    place: Workplace
    keys: dict[str, str]
    operators: list[Smsc] = field(default_factory=list)
    offered: dict[str, Offered] = field(default_factory=dict)
    began: float = 0.0
    began_ms: int = 0
    counters: list[Iterator[int]] = field(default_factory=lambda: [itertools.count() for _ in range(OPERATORS)])

    @property
    def now(self) -> float:
        """Seconds since the storm began."""
        return time.monotonic() - self.began

    def number(self, operator: int) -> str:
        """Return a number nobody has; one of ten is full at times."""
        place = next(self.counters[operator])
        prefix = FULL_PREFIXES[operator] if place % 10 == 0 else f"336{operator}1"
        return f"{prefix}{place:06d}"


async def storm(weather: Weather, folder: Path) -> tuple[list[str], list[str]]:
    """Let it blow; return the report, and what does not hold."""
    async with AsyncExitStack() as doors:
        sky = await _prepared(weather, folder)
        for operator in sky.operators:
            await operator.start()
            doors.push_async_callback(operator.stop)
        _configure(sky)
        await _accounts(sky)
        server = await doors.enter_async_context(_serving(sky.place))
        clients = {
            name: await doors.enter_async_context(AsyncClient(sky.place.url, sky.keys[name])) for name in ACCOUNTS
        }
        sky.began, sky.began_ms = time.monotonic(), int(time.time() * 1000)
        plan = pressed(PLAN, weather.seconds)
        await asyncio.gather(
            *(_gust(sky, one) for one in plan),
            *(_load(sky, clients, operator) for operator in range(OPERATORS)),
        )
        await _drained(sky)
        ended = server.poll()
        until = sky.now
    told = _told(sky)
    spells = [
        (operator, *spell)
        for operator in range(OPERATORS)
        for spell in well_spells(plan, operator, until, weather.well_for)
    ]
    measured: list[Pace] = list(paces(told, spells, weather.per_second))
    wrong = faults(told, measured)
    if ended is not None:
        wrong.append(f"the server ended in the storm, with {ended}")
    return list(lines(told, measured)), wrong


@asynccontextmanager
async def _serving(place: Workplace) -> AsyncIterator[subprocess.Popen[bytes]]:
    """Run the server; the operators go on meanwhile, also while it takes leave of them."""
    server = running(place)
    process = await asyncio.to_thread(server.__enter__)
    try:
        yield process
    finally:
        await asyncio.to_thread(server.__exit__, None, None, None)


async def _prepared(weather: Weather, folder: Path) -> Sky:
    place = Workplace(folder=folder, port=free_port(), smsc_port=0, key="")
    sky = Sky(weather=weather, folder=folder, place=place, keys={name: new_api_key() for name in ACCOUNTS})
    for number in range(OPERATORS):
        behaviour = Behaviour(
            endings={},
            shares={"delivered": 9.0, "at-once": 1.0},
            delay=Delay(median_ms=500, sigma=1.0),
            ids=KINDS[number],
        )
        settings = SmscSettings(
            port=0, behaviour=behaviour, journal=folder / f"operator{number}.log", seed=number,
            max_submit_per_second=weather.per_second + weather.per_second // 5,
        )  # fmt: skip
        sky.operators.append(Smsc(settings, clock=PushableClock()))
    return sky


def _configure(sky: Sky) -> None:
    weather = sky.weather
    links = "".join(
        _LINK.format(
            number=number, port=one.port, per_second=weather.per_second, response_timeout=weather.response_timeout
        )
        for number, one in enumerate(sky.operators)
    )
    text = _CONFIG.format(port=sky.place.port, folder=sky.folder)
    sky.place.config.write_text(text + links, encoding="utf-8")


async def _accounts(sky: Sky) -> None:
    settings = load(sky.place.config, {})
    async with open_store(settings) as store:
        for name, key in sky.keys.items():
            digest = key_digest(key, key_secret(settings))
            await store.create_account(name, credit=Decimal(10**6), key_digest=digest, at=0)


async def _gust(sky: Sky, gust: Gust) -> None:
    """Let one trouble come and go."""
    await asyncio.sleep(max(0.0, gust.begins - sky.now))
    operator = sky.operators[gust.operator]
    print(f"{sky.now:5.0f} s  operator {gust.operator}: {gust.trouble.kind.value} for {gust.lasts:.0f} s", flush=True)
    await operator.begin(gust.trouble)
    await asyncio.sleep(max(0.0, gust.ends - sky.now))
    await operator.end(gust.trouble)


async def _load(sky: Sky, clients: dict[str, AsyncClient], operator: int) -> None:
    """Send to one operator, as steadily as the clock allows: one login for nine recipients of campaigns."""
    per_second = sky.weather.per_second * sky.weather.load
    sent, due_login = 0, 0.0
    while sky.now < sky.weather.seconds:
        if sent <= sky.now * per_second * 0.9:
            await _send(sky, clients, "campaigns", operator, TOGETHER)
            sent += TOGETHER
        if due_login <= sky.now:
            await _send(sky, clients, "logins", operator, 1)
            due_login += 10 / per_second
        await asyncio.sleep(0.02)


async def _send(sky: Sky, clients: dict[str, AsyncClient], account: str, operator: int, count: int) -> None:
    numbers = [sky.number(operator) for _ in range(count)]
    at = sky.now
    try:
        await clients[account].send([f"+{number}" for number in numbers], TEXT)
    except ClientError as error:
        print(f"{sky.now:5.0f} s  a send was not accepted: {error}", flush=True)
        return
    sky.offered |= {number: Offered(account, operator, at) for number in numbers}


async def _drained(sky: Sky) -> None:
    """Wait until nothing waits to be sent and no receipt is on its way, but not for ever."""
    connection = connect(sky.folder / "esito.db", read_only=True)
    give_up = sky.now + sky.weather.drain
    try:
        while sky.now < give_up and (_waiting(connection) or any(one.waiting for one in sky.operators)):
            await asyncio.sleep(0.5)
    finally:
        connection.close()


def _waiting(connection: apsw.Connection) -> bool:
    """Tell whether the store has something to send, or waits for an answer."""
    asked = "SELECT EXISTS (SELECT 1 FROM outgoing) OR EXISTS (SELECT 1 FROM segment WHERE phase IN (1, 2))"
    return bool(connection.execute(asked).get)


def _told(sky: Sky) -> Told:
    """Ask the operators' logs and the store what became of everything; the server has ended."""
    taken: dict[str, list[float]] = {}
    delivered: set[str] = set()
    for number in range(OPERATORS):
        took, told = taken_of(sky.folder / f"operator{number}.log", sky.began_ms)
        taken |= took
        delivered |= told
    connection = connect(sky.folder / "esito.db", read_only=True)
    states = {
        str(msisdn): MessageState(state).name
        for msisdn, state in connection.execute("SELECT msisdn, state FROM recipient")
    }
    asked = "SELECT r.msisdn FROM segment s JOIN recipient r USING (message_id, seq) WHERE s.phase = 5"
    uncertain = frozenset(str(msisdn) for (msisdn,) in connection.execute(asked))
    connection.close()
    return Told(
        offered=sky.offered,
        taken=taken,
        delivered=frozenset(delivered),
        states=states,
        uncertain=uncertain,
        books=_books(sky.place),
    )


def _books(place: Workplace) -> list[str]:
    """Return what `esito check` says when the books do not balance."""
    command = [sys.executable, "-m", "esito", "check", "--config", str(place.config)]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    return [] if said.returncode == 0 else (said.stdout + said.stderr).splitlines()


def main(words: Sequence[str] | None = None) -> int:
    """Blow for ten minutes, or as long as is asked for."""
    parser = argparse.ArgumentParser(prog="make storm", description=__doc__)
    parser.add_argument(
        "--minutes", type=float, default=10.0, help="for how long (10); the troubles are pressed together"
    )
    parser.add_argument("--per-second", type=int, default=50, help="what each of the four operators takes (50)")
    asked = parser.parse_args(words)
    weather = Weather(seconds=asked.minutes * 60, per_second=asked.per_second)
    with tempfile.TemporaryDirectory(prefix="esito-storm-") as folder:
        report, wrong = asyncio.run(storm(weather, Path(folder)))
    for line in report:
        print(line)
    for line in wrong:
        print(f"DOES NOT HOLD: {line}")
    print("it does not hold" if wrong else "it holds")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
