"""Plays one variant of a case: its events in order, between a scripted operator and the running server.

Long because every event that a case may name is one short method of the same class.
"""

import asyncio
import re
import struct
import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Self

from esito.domain.message_ids import spelling
from esito.smpp import pdu as p
from esito.smpp.codec import InvalidLength, InvalidPdu, decode, encode
from tests.kit.patience import PATIENCE as SOON
from tests.kit.place import Place
from tests.receipts.case import USUAL_TEXT, Event, Filler, LinkPlan, Variant, first_number, links_of, scaled, seconds
from tests.receipts.deliveries import Delivered, build
from tests.receipts.evidence import Evidence
from tests.receipts.operator import Answering, Operator, Session
from tests.receipts.server import Server

UNREAD = 1.5
"""Seconds for which a peer reads nothing: less than it takes us to give a silent link up, even on a slow machine."""

AT_ONCE = 500
"""Recipients of one message."""


@dataclass(slots=True, kw_only=True)
class Sent:
    """A message of the case and how its operator identifies it."""

    message_id: int
    link: str
    numbers: list[str]
    ids: list[str | None]


@dataclass(slots=True)
class Notes:
    """What a scene saw and expectations ask about."""

    readyz: int = 200
    rss_before: float = 0.0
    rss_after: float = 0.0
    detected: float = 0.0
    rebound: float = 0.0
    enquire_answer: float = -1.0
    uncaught: int = 0
    sessions_before: dict[str, list[Session]] = field(default_factory=dict)


class Scene:
    """One play."""

    def __init__(self, variant: Variant, folder: Path, place: Place) -> None:
        self.variant = variant
        self.folder = folder
        self.place = place
        self.plans: list[LinkPlan] = links_of(variant)
        self.operators: dict[str, Operator] = {}
        self.sent: list[Sent] = []
        self.receipts: list[Delivered] = []
        self.notes = Notes()
        self.evidence = Evidence(place.store)
        self._server: Server | None = None
        self._kill_after_commit = False
        self._holding: asyncio.Task[None] | None = None
        self._steps: list[Event] = []
        self._position = 0

    @property
    def server(self) -> Server:
        assert self._server is not None
        return self._server

    @property
    def main(self) -> Operator:
        return self.operators[self.plans[0].name]

    def operator(self, name: str) -> Operator:
        """Return the operator behind a link; `tx`, `rx` and numbers mean the sessions of the first."""
        return self.operators.get(name, self.main)

    # -- beginning and end ----------------------------------------------------------------------

    async def __aenter__(self) -> Self:
        modifiers = self.variant.modifiers
        for plan in self.plans:
            operator = self.operators[plan.name] = Operator()
            operator.bind_delay = scaled(modifiers["bind_delay"]) if "bind_delay" in modifiers else 0.0
            operator.slow_answers = 0.005 if "window" in modifiers else 0.0
            await operator.open()
        links = [(plan, self.operators[plan.name].port) for plan in self.plans]
        self._server = Server(self.folder, self.place, links, self._prefixes())
        await self.server.prepare()
        await self.server.start()
        await self._bound()
        self.notes.rss_before = self.server.rss_mb
        self._note_sessions()
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._holding is not None:
            await self._holding
        await self.server.close()  # first: it would bind again to an operator that is on its way out
        for operator in self.operators.values():
            await operator.close()
        await asyncio.sleep(0)  # the transports close
        self.evidence.close()

    def _prefixes(self) -> dict[str, list[str]]:
        """Route each number by the link that the case names."""
        found: dict[str, list[str]] = {self.plans[0].name: []}
        for event in self.variant.steps:
            submit = event.get("submit", {})
            name = submit.get("link", self.plans[0].name)
            if name in self.operators and name != self.plans[0].name:
                found.setdefault(name, []).append(f"+{submit['to']}")
        # Only the first link serves what no other does; one without prefixes would as well.
        for number, plan in enumerate(self.plans[1:]):
            found.setdefault(plan.name, [f"+99900{number}"])
        return found

    async def _bound(self) -> None:
        for plan in self.plans:
            operator = self.operators[plan.name]
            count = plan.settings.get("sessions", 1)
            if plan.settings.get("bind") == "transmitter + receiver":
                await operator.until(lambda: len([one for one in operator.sessions if one.kind]) >= 2, SOON)  # noqa: B023  awaited at once
            else:
                await operator.receiver(count - 1)

    # -- the play -------------------------------------------------------------------------------

    async def play(self) -> None:
        """Play all events."""
        orders = self.variant.orders
        for order in orders or [()]:
            await self._play_once(order)
        self.notes.rss_after = self.server.rss_mb

    async def _play_once(self, words: tuple[str, ...]) -> None:
        self._steps = self.variant.steps
        if words and not any("receipt" in event for event in self._steps):
            self._steps = [*self._steps, {"receipt": {"text": USUAL_TEXT}}]
        for position, event in enumerate(self._steps):
            self._position = position
            if words and "receipt" in event:
                for word in words:
                    await self._do(event, word)
            else:
                await self._do(event, self.variant.each)

    async def _do(self, event: Event, each: Any) -> None:
        names = [name for name in event if name not in {"for", "n"}]
        for name in names:
            act = getattr(self, f"_do_{name}", None)
            if act is None:
                raise ValueError(f"the runner does not know the event {name!r}")
            await act(event, Filler(each=each, now=self.server.now))

    async def _do_submit(self, event: Event, filler: Filler) -> None:
        submit = event["submit"]
        count = self.variant.modifiers.get("repeat", 1)
        link = submit.get("link", self.plans[0].name)
        operator = self.operator(link)
        first, to = first_number(self.variant.case), int(submit["to"])
        numbers = [f"{to + place}" for place in range(count)]
        held = self.variant.modifiers.get("order") == "receipt_first" or submit.get("then") == "unbind"
        held = held or any(step.get("kill9") == "before_response" for step in self._steps[self._position :])
        operator.throttle_every = submit.get("throttle_every", 0)
        for place, number in enumerate(numbers):
            ids = [filler.text(one, first + place) for one in submit["response_ids"]]
            answering = self._answering(submit, ids, filler, held=held)
            queue = operator.answering.setdefault(number, deque())
            queue.clear()
            queue.append(answering)
        seen = len(operator.submitted)
        for start in range(0, count, AT_ONCE):
            share = numbers[start : start + AT_ONCE]
            message_id = await self.server.send(share, self._text(submit["segments"]))
            ids = [filler.text(one, first + start) for one in submit["response_ids"]]
            self.sent.append(Sent(message_id=message_id, link=link, numbers=share, ids=ids))
        await self._submitted(operator, seen, count * submit["segments"], submit, held=held)

    def _answering(self, submit: Event, ids: list[str | None], filler: Filler, *, held: bool) -> Answering:
        delay = submit.get("response_delay", "0s")
        return Answering(
            ids=ids,
            status=submit.get("submit_status", 0),
            status_of={int(part): status for part, status in submit.get("submit_status_of", {}).items()},
            throttled=submit.get("throttle", 0),
            queue_full=submit.get("queue_full", 0),
            body=filler.text(submit.get("resp_body", ""), 0),
            delay=scaled(delay),
            held=held,
            order=submit.get("response_order", []),
        )

    @staticmethod
    def _text(segments: int) -> str:
        return "ciao" if segments == 1 else "x" * max(161, 153 * (segments - 1) + 1)

    async def _submitted(self, operator: Operator, seen: int, count: int, submit: Event, *, held: bool) -> None:
        """Wait until all has come to the operator, and its answers have come back and are stored."""
        window = int(self.plans[0].settings.get("window", 100))
        expected = min(count, window) if held else count
        await operator.until(lambda: len(operator.submitted) >= seen + expected, SOON)
        if submit.get("then") == "unbind":
            for session in operator.sessions:
                session.say(p.Unbind(sequence=operator.next_sequence()))
                session.kind = None  # nothing is delivered here any more
            operator.release()
            for plans in operator.answering.values():
                plans[0].held = False
        elif held:
            return
        never = set(submit.get("submit_status_of", {}).values()) & {p.Status.ESME_RTHROTTLED, p.Status.ESME_RMSGQFUL}
        deadline = time.monotonic() + SOON
        while not never and self.evidence.open_segments() and time.monotonic() < deadline:
            await asyncio.sleep(0.01)

    # -- receipts -------------------------------------------------------------------------------

    async def _do_receipt(self, event: Event, filler: Filler) -> None:
        receipt = event["receipt"]
        first = first_number(self.variant.case)
        count = receipt.get("repeat", self.variant.modifiers.get("repeat", 1))
        batches: dict[Session, list[Delivered]] = {}
        for place in range(count):
            session = await self._session(receipt, place)
            source = self._number_of(filler.text(receipt.get("text", ""), first + place), receipt, place)
            delivered = build(receipt, filler, first + place, session.operator.next_sequence(), source)
            batches.setdefault(session, []).append(delivered)
            self.receipts.append(delivered)
        for session, share in batches.items():
            await self._transmit(session, receipt, [one.octets for one in share])
        if self._kill_after_commit:
            await self._killed_after_commit()
            return
        for session, share in batches.items():
            await self._acknowledged(session, share)
        if self._releases_now():
            if any(operator.held for operator in self.operators.values()):
                await self._applied()  # before the response means: before it in the store too
            await asyncio.sleep(scaled(self.variant.modifiers.get("response_delay", "0s")))
            for operator in self.operators.values():
                operator.release()

    async def _applied(self) -> None:
        """Wait until nothing is under way from the gateway to the store."""
        deadline = time.monotonic() + SOON
        while not await self.server.has_applied_all() and time.monotonic() < deadline:
            await asyncio.sleep(0.01)

    def _releases_now(self) -> bool:
        """Tell whether responses that were held back for this receipt follow it now."""
        following = self._steps[self._position + 1 : self._position + 2]
        return not any("kill9" in event for event in following)

    async def _session(self, receipt: Event, place: int) -> Session:
        link = str(receipt.get("link", self.plans[0].name))
        index = receipt.get("session", 1) - 1
        if "%" in link:
            index = place % 2
        operator = self.operator(link)
        if link == "rx":
            operator.refuses = None
        if not operator.receivers and operator.refuses is not None:
            operator.refuses = None
        return await operator.receiver(index)

    def _number_of(self, text: str, receipt: Event, place: int) -> str:
        """Return whom the receipt is about: the newest recipient with its id, else the first of all."""
        link, found = receipt.get("link"), re.search(r"\bid:(\S+)", text)
        said = found[1] if found else ""
        alike = [
            (agreement, sent)
            for sent in reversed(self.sent)
            for one in sent.ids
            if one and (agreement := spelling(one, said)) is not None
            if link in {None, sent.link} or len(self.plans) == 1
        ]
        if alike:
            return min(alike, key=lambda pair: pair[0])[1].numbers[0]
        numbers = [number for sent in self.sent for number in sent.numbers]
        return numbers[place] if place < len(numbers) else numbers[0]

    async def _transmit(self, session: Session, receipt: Event, pdus: list[bytes]) -> None:
        octets = b"".join(pdus)
        if receipt.get("read_responses") is False:
            session.writer.transport.pause_reading()  # type: ignore[attr-defined]  # a socket's transport
            session.write(octets)
            await asyncio.sleep(UNREAD)
            self.notes.rss_after = self.server.rss_mb
            session.writer.transport.resume_reading()  # type: ignore[attr-defined]
        elif "chunk" in receipt:
            for start in range(0, len(octets), receipt["chunk"]):
                session.write(octets[start : start + receipt["chunk"]])
                await asyncio.sleep(0)
        else:
            session.write(octets)

    async def _acknowledged(self, session: Session, share: list[Delivered]) -> None:
        """Wait for the responses; a connection that is lost leaves some out."""
        sequences = [int.from_bytes(one.octets[12:16], "big") for one in share]
        acks = session.operator.acks
        with suppress(TimeoutError):
            await session.operator.until(lambda: session.over or all((session, one) in acks for one in sequences), SOON)
        for one, sequence in zip(share, sequences, strict=True):
            one.answer = acks.get((session, sequence))

    # -- accidents ------------------------------------------------------------------------------

    async def _do_kill9(self, event: Event, _filler: Filler) -> None:
        if event["kill9"] == "before_resp" and not self.receipts:
            self._kill_after_commit = True  # the next receipt's response is never seen
            return
        if event["kill9"] == "before_resp":
            self.receipts.clear()  # to the operator this one was never answered
        await self._again()

    async def _killed_after_commit(self) -> None:
        self._kill_after_commit = False
        deadline = time.monotonic() + SOON
        while not self.evidence.trail_rows() and time.monotonic() < deadline:
            await asyncio.sleep(0.002)
        self.receipts.clear()
        await self._again()

    async def _again(self) -> None:
        await self.server.kill()
        for operator in self.operators.values():
            operator.held.clear()
        await self.server.start()
        await self._bound_again()

    async def _do_restart(self, _event: Event, _filler: Filler) -> None:
        await self.server.stop()
        await self.server.start()
        await self._bound_again()

    async def _bound_again(self) -> None:
        for operator in self.operators.values():
            await operator.receiver()
        self._note_sessions()

    def _note_sessions(self) -> None:
        """Forget the sessions that are over, and remember those that must stay."""
        for name, operator in self.operators.items():
            operator.sessions[:] = [session for session in operator.sessions if not session.over]
            self.notes.sessions_before[name] = list(operator.sessions)

    async def _do_advance(self, event: Event, _filler: Filler) -> None:
        await self.server.advance(int(seconds(event["advance"]) * 1000))
        await asyncio.sleep(0.3)  # what the push sets off has begun

    async def _do_link_down(self, event: Event, _filler: Filler) -> None:
        if event["link_down"] == "rx":
            self.main.refuses = lambda kind: kind is p.BindReceiver
            for session in self.main.receivers:
                session.hang_up()
            await asyncio.sleep(0.3)
            self.notes.readyz = (await self.server.http.get("/readyz")).status_code
            return
        operator = self.main
        await operator.close()
        asyncio.get_running_loop().call_later(
            scaled(event["link_down"]), lambda: asyncio.ensure_future(operator.open())
        )

    async def _do_partition(self, _event: Event, _filler: Filler) -> None:
        """Drop every packet both ways, and no reset: the session that is there falls silent for good."""
        began, sessions = time.monotonic(), list(self.main.sessions)
        for session in sessions:
            session.muted = True
        await self.main.until(lambda: len(self.main.sessions) > len(sessions), SOON)
        self.notes.detected = time.monotonic() - began

    async def _do_store_delay(self, event: Event, _filler: Filler) -> None:
        let_go = self.evidence.hold_writes()

        async def later() -> None:
            await asyncio.sleep(seconds(event["store_delay"]))
            let_go()

        self._holding = asyncio.create_task(later())

    async def _do_raw(self, event: Event, filler: Filler) -> None:
        session = await self.main.receiver()
        octets = bytes.fromhex(filler.text(event["raw"], 0))
        began, asked = time.monotonic(), len(self.main.said(p.EnquireLinkResp))
        session.write(octets)
        if octets[4:8] == p.Command.ENQUIRE_LINK.to_bytes(4, "big"):
            await self.main.until(lambda: len(self.main.said(p.EnquireLinkResp)) > asked, SOON)
            # Before the store was let go, however slow the machine is, counts as at once.
            held = self._holding is not None and not self._holding.done()
            self.notes.enquire_answer = 0.0 if held else time.monotonic() - began
            return
        await self._rebound(session, began, octets)

    async def _do_raw_text(self, event: Event, filler: Filler) -> None:
        session = await self.main.receiver()
        session.write(filler.text(event["raw_text"], 0).encode("latin-1"))
        await self._rebound(session, time.monotonic(), b"")

    async def _do_drip(self, event: Event, _filler: Filler) -> None:
        """Send the header of a PDU octet by octet; it is never finished in time."""
        session, began = await self.main.receiver(), time.monotonic()
        for octet in encode(p.EnquireLink(sequence=1))[:12]:
            if session.over:
                break
            session.write(bytes([octet]))
            await asyncio.sleep(scaled(event["drip"]))
        await self._rebound(session, began, b"")

    async def _rebound(self, session: Session, began: float, octets: bytes) -> None:
        """Wait for a new session where the old one must end; a whole PDU must not end it."""
        if len(octets) == 16 and octets[:4] == b"\0\0\0\x10":
            await asyncio.sleep(0.1)
            return
        await self.main.until(lambda: session.over and self.main.receivers, SOON)
        self.notes.rebound = time.monotonic() - began

    async def _do_fuzz(self, event: Event, _filler: Filler) -> None:
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
                self.notes.uncaught += 1
