"""What happens at all other events: clocks, processes, connections, stores and octets that go wrong."""

import asyncio
import os
import signal
import struct
import time
from collections import deque
from contextlib import suppress
from random import Random

from esito.domain.states import STATE_VALUES
from esito.smpp import pdu as p
from esito.smpp.codec import InvalidLength, InvalidPdu, decode, encode
from tests.kit.patience import PATIENCE
from tests.receipts.answering import Known
from tests.receipts.case import LONGEST, RESPONSE_TIMEOUT, Event, Filler, integer, local_time, scaled, seconds
from tests.receipts.delivering import again
from tests.receipts.happening import happening
from tests.receipts.operator import Session
from tests.receipts.scene import Scene

MOMENT = 0.3
"""Seconds: what a push of the clock, or the loss of a bind, sets off has begun."""


def _duration(event: Event, default: float = RESPONSE_TIMEOUT) -> float:
    """Return how long an accident lasts here."""
    return scaled(event.get("for", default))


# -- clocks and processes ----------------------------------------------------------------------


@happening("advance")
async def advance(scene: Scene, event: Event, _filler: Filler) -> None:
    await _push(scene, int(seconds(event["advance"]) * 1000))


async def _push(scene: Scene, milliseconds: int) -> None:
    """Push the clock, and wait until what ends by it has ended."""
    await scene.server.advance(milliseconds)
    await scene.until(lambda: not scene.evidence.ends_due(int(scene.server.now.timestamp() * 1000)))
    await asyncio.sleep(MOMENT)


@happening("local")
async def local(scene: Scene, event: Event, _filler: Filler) -> None:
    """Push the clock until the operator's says so; where the case begins with it, it says so already."""
    if not any({"submit", "receipt", "local"} & set(step) for step in scene.steps[: scene.position]):
        return
    now = scene.server.now
    wait = (local_time(event["local"], scene.zone(), now) - now).total_seconds()
    if wait < 0:
        raise ValueError(f"the clock is past {event['local']}, and only goes forward")
    await _push(scene, int(wait * 1000))


@happening("kill9")
async def kill9(scene: Scene, event: Event, _filler: Filler) -> None:
    if event["kill9"] == "before_resp" and not scene.receipts:
        scene.kill_after_commit = True  # the next receipt's response is never seen
        return
    if event["kill9"] == "before_resp":
        scene.receipts.clear()  # to the operator this one was never answered
    await scene.again()


@happening("restart")
async def restart(scene: Scene, _event: Event, _filler: Filler) -> None:
    await scene.server.stop()
    await scene.server.start()
    await scene.bound_again()


@happening("sigstop")
async def sigstop(scene: Scene, event: Event, _filler: Filler) -> None:
    whom = event["sigstop"]
    lasts = _duration(event)
    if isinstance(whom, str) and whom[:1].isdigit():
        whom, lasts = True, scaled(whom)
    if whom in {True, "operator", "smsc", "peer"}:
        await _operator_stopped(scene, lasts)
    elif whom in {"server", "esito", "gateway", "us"}:
        await _server_stopped(scene, lasts)
    else:
        raise ValueError(f"the runner does not know whom to stop: {whom!r}")


async def _operator_stopped(scene: Scene, lasts: float) -> None:
    """Stop the operator: its sockets stay open, and nothing is read or said until it goes on."""
    began, operator = time.monotonic(), scene.main
    there = list(operator.sessions)
    operator.stop()
    if await scene.until(lambda: all(session.over for session in there), lasts):
        scene.notes.detected = time.monotonic() - began
    await asyncio.sleep(max(0.0, began + lasts - time.monotonic()))
    operator.go_on()
    await operator.receiver(within=PATIENCE)


async def _server_stopped(scene: Scene, lasts: float) -> None:
    """Stop our process; what follows happens meanwhile."""
    pid = scene.server.pid
    os.kill(pid, signal.SIGSTOP)

    async def later() -> None:
        await asyncio.sleep(lasts)
        os.kill(pid, signal.SIGCONT)

    scene.under_way.append(asyncio.create_task(later()))


# -- connections -------------------------------------------------------------------------------


@happening("link_down")
async def link_down(scene: Scene, event: Event, _filler: Filler) -> None:
    operator = scene.main
    if event["link_down"] == "rx":
        operator.refuses = lambda kind: kind is p.BindReceiver
        for session in operator.receivers:
            session.hang_up()
        await asyncio.sleep(MOMENT)
        scene.notes.readyz = (await scene.server.http.get("/readyz")).status_code
        return
    await operator.close()

    async def later() -> None:
        await asyncio.sleep(scaled(event["link_down"]))
        await operator.open()

    scene.under_way.append(asyncio.create_task(later()))


@happening("bind_status")
async def bind_status(scene: Scene, event: Event, _filler: Filler) -> None:
    """Hang up, and refuse binds for a time or for a number of them."""
    operator, began = scene.main, time.monotonic()
    said = event["bind_status"]
    statuses = [integer(one) for one in (said if isinstance(said, list) else [said])]
    times = event.get("repeat", len(statuses) if isinstance(said, list) else 1)
    operator.refused_binds = 0
    operator.refusals = deque(statuses)
    for session in operator.sessions:
        session.hang_up()
    await operator.until(lambda: operator.refused_binds >= 1, PATIENCE)
    await scene.until(lambda: operator.refused_binds >= times, LONGEST)
    await asyncio.sleep(MOMENT)
    scene.notes.readyz = (await scene.server.http.get("/readyz")).status_code
    if "for" in event:
        await asyncio.sleep(max(0.0, began + _duration(event) - time.monotonic()))
    operator.refusals.clear()
    await operator.receiver(within=PATIENCE)
    scene.notes.rebound = time.monotonic() - began


@happening("partition")
async def partition(scene: Scene, event: Event, _filler: Filler) -> None:
    """Drop every packet both ways, and no reset: the session that is there falls silent for good."""
    if event["partition"] not in {True, "drop"}:
        raise ValueError(f"the runner does not know the partition {event['partition']!r}")
    began, sessions = time.monotonic(), list(scene.main.sessions)
    for session in sessions:
        session.muted = True
    await scene.main.until(lambda: len(scene.main.sessions) > len(sessions), PATIENCE)
    scene.notes.detected = time.monotonic() - began


# -- the store ---------------------------------------------------------------------------------


@happening("store")
async def store(scene: Scene, event: Event, _filler: Filler) -> None:
    await _make(scene, event["store"])
    if "for" in event and event["store"] != "ok":

        async def later() -> None:
            await asyncio.sleep(_duration(event))
            await _make(scene, "ok")

        scene.under_way.append(asyncio.create_task(later()))


async def _make(scene: Scene, state: str) -> None:
    """Spoil the store or mend it; a server that has given up meanwhile is started again, as a supervisor does."""
    await asyncio.to_thread(scene.spoiled.make, state)
    if state == "ok" and not scene.server.is_alive:
        await scene.server.start()
        await scene.bound_again()
    if state == "ok":
        await again(scene)


@happening("store_delay")
async def store_delay(scene: Scene, event: Event, _filler: Filler) -> None:
    """Hold the write lock; an enquire_link that follows is answered before it is let go, or too late."""
    let_go = scene.evidence.hold_writes()
    lasts = LONGEST if "raw" in scene.follows else max(1.0, scaled(event["store_delay"]))

    async def later() -> None:
        with suppress(asyncio.CancelledError):  # what waited for it has come
            await asyncio.sleep(lasts)
        let_go()

    scene.holding = asyncio.create_task(later())


@happening("query_sm")
async def query_sm(scene: Scene, event: Event, filler: Filler) -> None:
    said = event["query_sm"]
    if not isinstance(said, dict):
        said = {"silent": True} if said in {False, "none", "silent"} else {"state": said}
    scene.main.known[str(filler.text(said.get("id", ""), 0))] = Known(
        message_state=_state(filler.text(said.get("state", 1), 0)),
        final_date=_final_date(scene, str(filler.text(said.get("final_date", ""), 0) or "")),
        error_code=integer(filler.text(said.get("error", 0), 0)),
        status=integer(said.get("status", 0)),
        silent=bool(said.get("silent", False)),
    )


def _state(said: object) -> int:
    """Return a message_state given as a number or by its name."""
    names = {state.name: number for number, state in STATE_VALUES.items()}
    return names[said] if isinstance(said, str) and said in names else integer(said)


def _final_date(scene: Scene, said: str) -> str:
    """Return a date as in a receipt as an absolute time of SMPP (7.1.1); any other text as it is."""
    if not (said.isdigit() and len(said) in {10, 12}):
        return said
    whole = said.ljust(12, "0")
    there = local_time(said[:10], scene.zone(), scene.server.now)
    offset = there.utcoffset()
    quarters = int(offset.total_seconds() // 900) if offset else 0
    return f"{whole}0{abs(quarters):02}{'-' if quarters < 0 else '+'}"


# -- octets ------------------------------------------------------------------------------------


@happening("raw")
async def raw(scene: Scene, event: Event, filler: Filler) -> None:
    session = await scene.main.receiver()
    octets = bytes.fromhex(str(filler.text(event["raw"], 0)))
    began, asked = time.monotonic(), len(scene.main.said(p.EnquireLinkResp))
    session.write(octets)
    if octets[4:8] == p.Command.ENQUIRE_LINK.to_bytes(4, "big"):
        await scene.main.until(lambda: len(scene.main.said(p.EnquireLinkResp)) > asked, PATIENCE)
        if scene.holding is not None:
            scene.notes.answered_while_held = not scene.holding.done()
            scene.holding.cancel()
        return
    await _rebound(scene, session, began, octets)


@happening("raw_text")
async def raw_text(scene: Scene, event: Event, filler: Filler) -> None:
    session = await scene.main.receiver()
    session.write(str(filler.text(event["raw_text"], 0)).encode("latin-1"))
    await _rebound(scene, session, time.monotonic(), b"")


@happening("drip")
async def drip(scene: Scene, event: Event, _filler: Filler) -> None:
    """Send the header of a PDU octet by octet; it is never finished in time."""
    session, began = await scene.main.receiver(), time.monotonic()
    for octet in encode(p.EnquireLink(sequence=1))[:12]:
        if session.over:
            break
        session.write(bytes([octet]))
        await asyncio.sleep(scaled(event["drip"]))
    await _rebound(scene, session, began, b"")


async def _rebound(scene: Scene, session: Session, began: float, octets: bytes) -> None:
    """Wait for a new session where the old one must end; a whole PDU must not end it."""
    if len(octets) >= p.HEADER_LENGTH and int.from_bytes(octets[:4], "big") == len(octets):
        await asyncio.sleep(0.1)
        return
    await scene.main.until(lambda: session.over and scene.main.receivers, PATIENCE)
    scene.notes.rebound = time.monotonic() - began


@happening("fuzz")
async def fuzz(scene: Scene, event: Event, _filler: Filler) -> None:
    """Decode random bodies behind whole headers."""
    random, left = Random(1), event["n"]
    commands = [int(one) for one in p.Command]
    while left > 0:
        body = random.randbytes(random.randrange(200))
        left -= 16 + len(body)
        frame = struct.pack(">IIII", 16 + len(body), random.choice(commands), 0, 1) + body
        try:
            decode(frame)
        except (InvalidPdu, InvalidLength):
            continue
        except Exception:
            scene.notes.uncaught += 1
