"""One attack on one store: what is begun for it, how quiet and attacked phases take turns, and what is seen."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Self

import msgspec

from benchmarks.hostile import attack, good
from benchmarks.hostile.filling import Past, fill_postgres, fill_sqlite
from benchmarks.hostile.quiet_link import QuietSmsc
from benchmarks.hostile.report import ATTACKED, QUIET, Memory, Seen
from benchmarks.server import Workplace, free_port, running
from esito.app.wiring import key_secret, open_store
from esito.config import load
from esito.domain.credentials import key_digest, new_api_key
from esito.domain.timing import PushableClock
from esito.simulator.behaviour import Behaviour
from esito.simulator.smsc import Smsc, SmscSettings
from esito.store.interface.link_store import LinkRecord

BIG, GOOD = "big", "good"
BETWEEN = "between"
"""Named by what nobody judges: an attack begins or has just ended."""
INTERVAL = 1.0
"""`enquire_interval` of the quiet link."""

_CONFIG = """
[http]
listen = "127.0.0.1:{port}"
[store]
url = "{url}"
secret = "{secret}"
[logs]
level = "error"
[callbacks]
allow_private_networks = true
[[link]]
name = "bench"
port = {smsc}
system_id = "smsc"
password = "secret"
throughput = 100
[[link]]
name = "quiet"
port = {quiet}
system_id = "quiet"
password = "secret"
sessions = 2
enquire_interval = {interval}
prefixes = ["+999"]
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How much there is of everything, and for how long."""

    messages: int = 1_000_000
    rounds: int = 3
    quiet: float = 15.0
    """Seconds of each quiet phase; as many requests must have been answered as `least` says."""
    attacked: float = 30.0
    between: float = 5.0
    """Seconds after a phase in which nothing is judged."""
    least: int = 100
    """Questions of the well-behaved account that must have been answered in each phase."""
    silent: int = 2000
    others: int = 200
    receivers: int = 64
    at_once: int = 32
    bodies: int = 4
    pause: float = 1.0
    times: int = 0
    """How often each call is made: an attack lasts until all are answered. 0: without end."""
    good_messages: int = 20
    good_recipients: int = 50
    settle: float = 120.0
    """Seconds within which its messages must have been delivered."""

    def lasting(self, seconds: float) -> Self:
        """Return the plan with phases so long that all of them take so many seconds."""
        share = seconds / (self.rounds * (self.quiet + self.attacked + 2 * self.between))
        return replace(self, quiet=self.quiet * share, attacked=self.attacked * share, between=self.between * share)


class Told:
    """A process that is told lines and answers each by one."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def say(self, line: str) -> Any:
        """Return the answer. Raises RuntimeError when there is none."""
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("no pipes")
        self._process.stdin.write(line.encode() + b"\n")
        await self._process.stdin.drain()
        answer = await self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"no answer to {line[:60]}")
        return json.loads(answer)


@asynccontextmanager
async def _process(module: str) -> AsyncIterator[Told]:
    """Run a module of ours until the block ends."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, stdin=subprocess.PIPE, stdout=subprocess.PIPE, limit=64 << 20
    )
    try:
        yield Told(process)
    finally:
        if process.stdin is not None:
            process.stdin.close()
        try:
            async with asyncio.timeout(10):
                await process.wait()
        except TimeoutError:
            process.kill()
            await process.wait()


@dataclass(slots=True)
class Parts:
    """What takes part."""

    plan: Plan
    place: Workplace
    server: "subprocess.Popen[bytes]"
    attack: Told
    good: Told
    quiet_smsc: QuietSmsc
    before: float = 0.0
    most: float = 0.0


async def hostile(plan: Plan, folder: Path, url: str) -> Seen:
    """Attack a server on an empty store; return what was seen."""
    keys = {name: new_api_key() for name in (BIG, GOOD)}
    place = Workplace(folder=folder, port=free_port(), smsc_port=0, key=keys[GOOD])
    async with AsyncExitStack() as doors:
        smsc = Smsc(_operator(folder), clock=PushableClock())
        quiet_smsc = QuietSmsc()
        for one in (smsc, quiet_smsc):
            await one.start()
            doors.push_async_callback(one.stop)
        text = _CONFIG.format(
            port=place.port, url=url, secret="5e" * 32, smsc=smsc.port, quiet=quiet_smsc.port, interval=INTERVAL
        )
        place.config.write_text(text, encoding="utf-8")
        attacking = await doors.enter_async_context(_process("benchmarks.hostile.attack"))
        receivers = await attacking.say(_orders(plan, place, keys[BIG]))
        await _fill(place, plan, keys, url, receivers[0])
        server = await doors.enter_async_context(_serving(place))
        doors.callback(quiet_smsc.stopping)
        behaving = await doors.enter_async_context(_process("benchmarks.hostile.good"))
        behaves = good.Orders(
            port=place.port, key=keys[GOOD], messages=plan.good_messages, recipients=plan.good_recipients
        )
        await behaving.say(msgspec.json.encode(behaves).decode())
        parts = Parts(plan, place, server, attacking, behaving, quiet_smsc)
        seen = await _rounds(parts)
        seen = replace(seen, store=url.partition(":")[0])
    return replace(seen, books=_books(place))


def _orders(plan: Plan, place: Workplace, key: str) -> str:
    orders = attack.Orders(
        port=place.port,
        key=key,
        messages=plan.messages,
        receivers=plan.receivers,
        silent=plan.silent,
        others=plan.others,
        at_once=plan.at_once,
        bodies=plan.bodies,
        pause=plan.pause,
        times=plan.times,
    )
    return msgspec.json.encode(orders).decode()


def _operator(folder: Path) -> SmscSettings:
    behaviour = Behaviour(endings={}, shares={"at-once": 1.0})
    return SmscSettings(port=0, behaviour=behaviour, journal=folder / "operator.log", seed=16)


async def _fill(place: Workplace, plan: Plan, keys: dict[str, str], url: str, receiver: str) -> None:
    settings = load(place.config, {})
    now = int(time.time() * 1000)
    async with open_store(settings) as store:
        secret = key_secret(settings)
        ids = {
            name: await store.create_account(name, credit=Decimal(10**7), key_digest=key_digest(key, secret), at=now)
            for name, key in keys.items()
        }
        await store.change_profile(BIG, {"creates_subaccounts": True, "numbers": ("33700000001",)})
        links = await store.register_links([LinkRecord(name="bench", operator="bench")])
    past = Past(
        account=ids[BIG].id, link=links["bench"], operator=1, messages=plan.messages, now=now, url=receiver
    )  # fmt: skip
    if url.startswith("sqlite:"):
        await asyncio.to_thread(fill_sqlite, settings.store.path, past)
    else:
        await fill_postgres(url, past)


@asynccontextmanager
async def _serving(place: Workplace) -> AsyncIterator["subprocess.Popen[bytes]"]:
    """Run the server; the operators go on meanwhile, also while it takes leave of them."""
    server = running(place)
    process = await asyncio.to_thread(server.__enter__)
    try:
        yield process
    finally:
        await asyncio.to_thread(server.__exit__, None, None, None)


async def _rounds(parts: Parts) -> Seen:
    plan = parts.plan
    for number in range(plan.rounds):
        await _phase(parts, QUIET, plan.quiet)
        if number == 0:
            parts.before = parts.most = resident_mb(parts.server.pid)
        await parts.good.say(f"phase {BETWEEN}")
        await parts.attack.say("attack")
        await _watch(parts, plan.between)
        await _phase(parts, ATTACKED, plan.attacked)
        await parts.good.say(f"phase {BETWEEN}")
        await parts.attack.say("rest")
        await _watch(parts, plan.between)
    ended = parts.server.poll()
    settled = await _settled(parts)
    told = msgspec.convert(await parts.good.say("tell"), good.Told)
    did = msgspec.convert(await parts.attack.say("tell"), attack.Told)
    heard = parts.quiet_smsc.heard
    return Seen(
        store="",
        milliseconds=told.milliseconds,
        wrong=told.wrong,
        failed=told.failed,
        sent=sum(settled.values()),
        delivered=settled.get("Delivered", 0),
        calls=did.calls,
        connections=did.connections,
        bodies=did.bodies,
        links_ended=heard.ended,
        enquire_came=[one - INTERVAL for one in heard.came],
        enquire_answered=heard.answered,
        memory=Memory(parts.before, parts.most),
        ended=ended,
    )


async def _phase(parts: Parts, name: str, seconds: float) -> None:
    """Let one phase last so long, and until enough was answered in it."""
    before = sum((await parts.good.say(f"phase {name}")).values())
    await _watch(parts, seconds)
    while parts.server.poll() is None and not await _is_enough(parts, name, before):
        await _watch(parts, 0.1)


async def _is_enough(parts: Parts, name: str, before: int) -> bool:
    if sum((await parts.good.say("count")).values()) < before + parts.plan.least:
        return False
    return not (parts.plan.times and name == ATTACKED and await parts.attack.say("unanswered"))


async def _watch(parts: Parts, seconds: float) -> None:
    """Wait, and look at the server's memory."""
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0 and parts.server.poll() is None:
        await asyncio.sleep(min(1.0, left))
        parts.most = max(parts.most, resident_mb(parts.server.pid))


async def _settled(parts: Parts) -> dict[str, int]:
    """Wait until what the well-behaved account sent is delivered, but not for ever."""
    give_up = time.monotonic() + parts.plan.settle
    while True:
        found: dict[str, int] = await parts.good.say("settled")
        if set(found) == {"Delivered"} or time.monotonic() > give_up or parts.server.poll() is not None:
            return found
        await asyncio.sleep(0.2)


def resident_mb(pid: int) -> float:
    """Return the memory that a process and those that it began have for themselves, in megabytes."""
    total = 0.0
    for one in _family(pid):
        try:
            told = Path(f"/proc/{one}/status").read_text(encoding="ascii")
        except OSError:  # it has ended
            continue
        total += sum(int(line.split()[1]) / 1024 for line in told.splitlines() if line.startswith("RssAnon:"))
    return total


def _family(pid: int) -> list[int]:
    parents: dict[int, int] = {}
    for name in os.listdir("/proc"):  # noqa: PTH208  names are enough
        if name.isdigit():
            try:
                told = Path(f"/proc/{name}/stat").read_text(encoding="utf-8", errors="replace")
            except OSError:
                continue
            parents[int(name)] = int(told.rpartition(")")[2].split()[1])
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found


def _books(place: Workplace) -> list[str]:
    """Return what `esito check` says when the books do not balance."""
    command = [sys.executable, "-m", "esito", "check", "--config", str(place.config)]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    return [] if said.returncode == 0 else (said.stdout + said.stderr).splitlines()
