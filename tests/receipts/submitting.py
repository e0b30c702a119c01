"""What happens at `submit`: a message is sent through the API, and the operator answers as the case says."""

import asyncio
import re
from collections import deque
from typing import Any

from esito.smpp import pdu as p
from tests.kit.patience import PATIENCE, patience_for
from tests.receipts.answering import Answering, Late
from tests.receipts.case import Event, Filler, first_number, integer, scaled
from tests.receipts.happening import happening
from tests.receipts.operator import Operator
from tests.receipts.scene import Scene, Sent

AT_ONCE = 500
"""Recipients of one message."""


@happening("submit")
async def submit(scene: Scene, event: Event, filler: Filler) -> None:
    said = event["submit"]
    count = said.get("repeat", scene.variant.modifiers.get("repeat", 1))
    link = said.get("link", scene.plans[0].name)
    operator = scene.operator(link)
    first, to = first_number(scene.variant.case), int(said["to"])
    numbers = [f"{to + place}" for place in range(count)]
    lost_later = "lose_response" in said and scene.receipt_first and scene.comes_before("receipt", "submit")
    held = "lose_response" not in said and _is_held(scene, said)
    segments = said.get("segments", 1)
    operator.throttle_every = said.get("throttle_every", 0)
    for place, number in enumerate(numbers):
        operator.answering[number] = deque([_answering(said, filler, first + place, held=held)])
    seen = len(operator.submitted)
    for start in range(0, count, AT_ONCE):
        share = numbers[start : start + AT_ONCE]
        message_id = await scene.server.send(share, _text(segments))
        ids = _ids(said, filler, first + start)
        scene.sent.append(Sent(message_id=message_id, link=link, numbers=share, ids=ids))
    await _come(scene, operator, seen, count * segments, held=held)
    scene.submits.append(scene.server.now)
    if said.get("then") == "unbind":
        _take_leave(operator)
    if lost_later:
        scene.losses.append((operator, said["lose_response"]))
    elif "lose_response" in said:
        await lose(scene, operator, said["lose_response"])
    elif not held or said.get("then") == "unbind":
        await _answered(scene, operator, said)


def _is_held(scene: Scene, said: Event) -> bool:
    """Tell whether the responses are kept back."""
    killed = any(step.get("kill9") == "before_response" for step in scene.steps[scene.position :])
    waits = scene.receipt_first and scene.comes_before("receipt", "submit")
    return waits or said.get("then") == "unbind" or killed


def _ids(said: Event, filler: Filler, number: int) -> list[str | None]:
    found = [filler.text(one, number) for one in said.get("response_ids", [])]
    return [None if one is None else str(one) for one in found]


def _answering(said: Event, filler: Filler, number: int, *, held: bool) -> Answering:
    octets = said.get("response_hex", [])
    first = said.get("submit_status_once", [])
    return Answering(
        ids=_ids(said, filler, number),
        status=integer(said.get("submit_status", 0)),
        status_of={int(part): integer(status) for part, status in said.get("submit_status_of", {}).items()},
        throttled=said.get("throttle", 0),
        queue_full=said.get("queue_full", 0),
        body=filler.text(said.get("resp_body", ""), 0),
        delay=scaled(said.get("response_delay", "0s")),
        held=held,
        order=said.get("response_order", []),
        first=[integer(one) for one in (first if isinstance(first, list) else [first])],
        lost="lose_response" in said,
        late=_late(said.get("late_answer"), filler, number),
        octets=[filler.text(one, number) for one in (octets if isinstance(octets, list) else [octets])],
        sequence=integer(said["sequence"]) if "sequence" in said else None,
    )


def _late(said: Any, filler: Filler, number: int) -> Late | None:
    if said is None:
        return None
    after = str(said.get("after", "timeout"))
    if not re.fullmatch(r"try\d+_(accepted|submitted)|timeout|(\d+[dhms])+", after):
        raise ValueError(f"the runner does not know when {after!r} is")
    return Late(
        attempt=integer(said.get("try", 1)),
        status=integer(said.get("status", 0)),
        message_id=str(filler.text(said.get("id", ""), number)),
        after=after,
    )


def _text(segments: int) -> str:
    return "ciao" if segments == 1 else "x" * max(161, 153 * (segments - 1) + 1)


async def _come(scene: Scene, operator: Operator, seen: int, count: int, *, held: bool) -> None:
    """Wait until all has come to the operator."""
    window = int(scene.plans[0].settings.get("window", 100))
    expected = min(count, window) if held else count
    if not await scene.until(lambda: len(operator.submitted) >= seen + expected, patience_for(expected)):
        raise TimeoutError(f"{len(operator.submitted) - seen} of {expected} submit_sm came to the operator")


def _take_leave(operator: Operator) -> None:
    for session in operator.sessions:
        session.say(p.Unbind(sequence=operator.next_sequence()))
        session.kind = None  # nothing is delivered here any more
    operator.release()
    for plans in operator.answering.values():
        plans[0].held = False


async def _answered(scene: Scene, operator: Operator, said: Event) -> None:
    """Wait until the answers have come back and are stored."""
    if "late_answer" in said:
        await _say_late(scene, operator, said["late_answer"])
    never = set(said.get("submit_status_of", {}).values()) & {p.Status.ESME_RTHROTTLED, p.Status.ESME_RMSGQFUL}
    if not never:
        await scene.settled(uncertain=bool({"late_answer", "response_hex", "sequence"} & set(said)))


async def _say_late(scene: Scene, operator: Operator, said: Event) -> None:
    """Wait for the moment at which a late answer comes."""
    after = str(said.get("after", "timeout"))
    if after == "timeout":
        seen = len(operator.submitted)
        await _given_up(scene, operator, seen)
        operator.say_late(after)
    elif not after.startswith("try"):
        await asyncio.sleep(scaled(after))
        operator.say_late(after)
    if not await scene.until(lambda: not operator.late and operator.said_late):
        raise TimeoutError(f"the moment of the late answer never came: {after}")


async def _given_up(scene: Scene, operator: Operator, seen: int) -> None:
    """Wait until the server knows that a response is lost, or has submitted again."""
    if not await scene.until(lambda: not scene.evidence.submitted() or len(operator.submitted) > seen):
        raise TimeoutError("the server still waits for the response that is lost")


async def lose(scene: Scene, operator: Operator, how: str) -> None:
    """Lose the responses that were not given: by time, by the connection, or by our own death."""
    seen = len(operator.submitted)
    if how == "disconnect":
        for session in operator.sessions:
            session.hang_up()
    elif how == "kill9":
        await scene.server.kill()
        await scene.server.start()
    await _given_up(scene, operator, seen)
    if how == "timeout":
        await operator.receiver(within=PATIENCE)
    else:
        await scene.bound_again()
    await scene.settled(uncertain=True)
