"""What happens at `receipt`: the operator delivers one or many, and waits for the responses."""

import asyncio
import re
from contextlib import suppress
from dataclasses import replace
from datetime import UTC
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from esito.domain.message_ids import spelling
from tests.kit.patience import PATIENCE, patience_for
from tests.receipts.case import Event, Filler, first_number, integer, scaled
from tests.receipts.deliveries import Delivered, build, pieces
from tests.receipts.happening import happening
from tests.receipts.operator import Session
from tests.receipts.scene import Scene
from tests.receipts.submitting import lose

UNREAD = 1.5
"""Seconds for which a peer reads nothing: less than it takes us to give a silent link up, even on a slow machine."""

APART = 0.02
"""Seconds between two pieces of a PDU, so that they are read one by one."""

BREATHE = 50
"""Receipts that are made before others have their turn."""

Batches = dict[Session, list[Delivered]]


@happening("order")
async def order(scene: Scene, event: Event, _filler: Filler) -> None:
    """Say from here on what comes first."""
    if event["order"] in {"receipt_first", "response_first"}:
        scene.receipt_first = event["order"] == "receipt_first"
    else:
        scene.receipt_order = event["order"]


@happening("receipt")
async def receipt(scene: Scene, event: Event, filler: Filler) -> None:
    said = event["receipt"]
    batches = await _made(scene, said, replace(filler, zone=_zone(scene, said)))
    for session, share in batches.items():
        await _transmit(scene, session, said, [one.octets for one in share])
    if scene.kill_after_commit:
        await _killed_after_commit(scene)
    else:
        for session, share in batches.items():
            await _acknowledged(session, share)
    if said.get("repeat") is True:
        await again(scene)
    if not {"kill9", "receipt"} & set(scene.follows):
        await _release(scene)


def _zone(scene: Scene, said: Event) -> Any:
    """Return the zone of the dates that are filled in."""
    local = said.get("local", True)
    if isinstance(local, str):
        return ZoneInfo(local)
    return scene.zone(str(said.get("link", ""))) if local else UTC


async def _made(scene: Scene, said: Event, filler: Filler) -> Batches:
    first = first_number(scene.variant.case)
    repeat = said.get("repeat")
    usual = scene.variant.modifiers.get("repeat", 1)
    count = usual if repeat is None or isinstance(repeat, bool) else integer(repeat)
    batches: Batches = {}
    for turn, place in enumerate(_places(said.get("order", scene.receipt_order), count)):
        session = await _session(scene, said, place)
        source = _number_of(scene, str(filler.text(said.get("text", ""), first + place)), said, place)
        sequence = integer(said["sequence"]) + turn if "sequence" in said else session.operator.next_sequence()
        delivered = build(said, filler, first + place, sequence, source)
        batches.setdefault(session, []).append(delivered)
        scene.receipts.append(delivered)
        scene.unacknowledged.append(delivered)
        if turn % BREATHE == 0:
            await asyncio.sleep(0)  # the peers of other cases live in this loop too
    return batches


def _places(order: Any, count: int) -> list[int]:
    """Return the order in which receipts that are repeated leave."""
    places = list(range(count))
    if isinstance(order, list):
        named = [integer(one) - 1 for one in order if 0 < integer(one) <= count]
        return named + [place for place in places if place not in named]
    if order in {"reversed", "reverse"}:
        return places[::-1]
    if order == "shuffled":
        Random(count).shuffle(places)  # the same at every run
    return places


async def _session(scene: Scene, said: Event, place: int) -> Session:
    link = str(said.get("link", scene.plans[0].name))
    index = integer(said.get("session", 1)) - 1
    if "%" in link:
        index = place % 2
    operator = scene.operator(link)
    if link == "rx" or not operator.receivers:
        operator.refuses = None
    return await operator.receiver(index, within=PATIENCE)


def _number_of(scene: Scene, text: str, said: Event, place: int) -> str:
    """Return whom the receipt is about: the newest recipient with its id, else the first of all."""
    link, found = said.get("link"), re.search(r"\bid:(\S+)", text)
    written = found[1] if found else ""
    alike = [
        (agreement, sent)
        for sent in reversed(scene.sent)
        for one in sent.ids
        if one and (agreement := spelling(one, written)) is not None
        if link in {None, sent.link} or len(scene.plans) == 1
    ]
    if alike:
        return min(alike, key=lambda pair: pair[0])[1].numbers[0]
    numbers = [number for sent in scene.sent for number in sent.numbers]
    if not numbers:
        return ""
    return numbers[place] if place < len(numbers) else numbers[0]


async def _transmit(scene: Scene, session: Session, said: Event, pdus: list[bytes]) -> None:
    if said.get("read_responses") is False:
        session.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a socket's transport
        session.write(b"".join(pdus))
        await asyncio.sleep(UNREAD)
        scene.notes.rss_after = scene.server.rss_mb
        session.writer.transport.resume_reading()  # type: ignore[attr-defined]
    elif "chunk" in said:
        for piece in pieces(b"".join(pdus), said):
            session.write(piece)
            await asyncio.sleep(0)
    elif "cut_at" in said:
        for pdu in pdus:
            cut = pieces(pdu, said)
            for piece in cut:
                session.write(piece)
                await asyncio.sleep(APART if len(cut) < 10 else APART / 10)
    else:
        session.write(b"".join(pdus))


async def _acknowledged(session: Session, share: list[Delivered]) -> None:
    """Wait for the responses; a connection that is lost leaves some out."""
    sequences = [int.from_bytes(one.octets[12:16], "big") for one in share]
    acks = session.operator.acks
    with suppress(TimeoutError):
        await session.operator.until(
            lambda: session.over or all((session, one) in acks for one in sequences), patience_for(len(sequences))
        )
    for one, sequence in zip(share, sequences, strict=True):
        if answer := acks.pop((session, sequence), None):
            one.answers.append(answer)


async def again(scene: Scene) -> None:
    """Deliver what was not acknowledged once more, as operators do, unless the case says that this one does not."""
    left = [one for one in scene.unacknowledged if not one.is_acknowledged and one.said.get("repeat") is not False]
    for one in left:
        session = await _session(scene, one.said, 0)
        session.write(one.octets)
        await _acknowledged(session, [one])


async def _release(scene: Scene) -> None:
    """Let the responses that were held back for these receipts follow now, or lose them."""
    held = any(operator.held for operator in scene.operators.values())
    if held or scene.losses:
        await scene.applied()  # before the response means: before it in the store too
    if held:
        await asyncio.sleep(scaled(scene.variant.modifiers.get("response_delay", "0s")))
        for operator in scene.operators.values():
            operator.release()
    losses, scene.losses = scene.losses, []
    for operator, how in losses:
        await lose(scene, operator, how)


async def _killed_after_commit(scene: Scene) -> None:
    scene.kill_after_commit = False
    await scene.until(scene.evidence.trail_rows)
    scene.receipts.clear()
    await scene.again()
