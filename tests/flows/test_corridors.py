"""How many functions and files a receipt goes through, from the socket to its acknowledgement.

Counted are the functions on the stack wherever it is handed on: to the writer thread, to the rules, into the trail, to
the disk, back to the event loop, and to the operator. docs/explanation/architecture.md draws the way.
"""

import asyncio
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest

from esito.domain.timing import RealClock
from esito.lifecycle.receive import Receiver
from esito.lifecycle.submit import Submitter
from esito.links.gateway import Gateway
from esito.links.smpp_link import SmppLink
from esito.smpp import pdu as p
from esito.smpp.connect import SmppSettings
from esito.store.sqlite import SqliteStore
from tests.kit.builders import account_in, links_in, message
from tests.kit.patience import in_time
from tests.kit.peer import Session, peer, until

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "esito"
DRAWN = (ROOT / "docs" / "explanation" / "architecture.md").read_text(encoding="utf-8")

MOST_FILES, MOST_FUNCTIONS = 12, 25
NUMBER = 33612340000
TAUGHT = 4
"""Receipts that come before: they tell the form of the operator's ids."""


class Way:
    """The functions of ours on the stack at each place where a receipt is handed on."""

    def __init__(self) -> None:
        self.walked: list[tuple[str, str]] = []
        self._looking = False

    @contextmanager
    def looking(self) -> Iterator[None]:
        self._looking = True
        try:
            yield
        finally:
            self._looking = False

    def hook(self, frame: FrameType, event: str, arg: object) -> None:
        if self._looking and _hands_on(frame, event, getattr(arg, "__name__", "")):
            for one in reversed(list(_ours(frame))):
                if one not in self.walked:
                    self.walked.append(one)


def _hands_on(frame: FrameType, event: str, called: str) -> bool:
    file, name = frame.f_code.co_filename, frame.f_code.co_name
    if event == "c_call":
        return file.startswith(str(SOURCE)) and called in {"put", "set_result"}
    if event != "call":
        return False
    if name == "write":
        return "asyncio" in file
    if name == "run_rows":
        return frame.f_locals.get("name") == "insert_trail"
    return name in {"settle_plain", "commit", "read_receipt"} and file.startswith(str(SOURCE))


def _ours(frame: FrameType | None) -> Iterator[tuple[str, str]]:
    while frame is not None:
        code = frame.f_code
        if code.co_filename.startswith(str(SOURCE)):
            yield str(Path(code.co_filename).relative_to(SOURCE)), code.co_qualname
        frame = frame.f_back


def delivery(number: int) -> p.DeliverSm:
    text = f"id:{4710 + number} sub:001 dlvrd:001 stat:DELIVRD err:000 text:ciao"
    return p.DeliverSm(
        sequence=100 + number,
        source_addr=str(NUMBER + number),
        destination_addr="ESITO",
        esm_class=4,
        short_message=text.encode(),
    )


async def acknowledged(session: Session, number: int) -> None:
    before = len(session.of(p.DeliverSmResp))
    session.say(delivery(number))
    await until(lambda: len(session.of(p.DeliverSmResp)) > before)


async def walk(folder: Path) -> list[tuple[str, str]]:
    """Return the files and functions on the way of the usual receipt, of an operator whose form of ids is known."""
    way = Way()
    threading.setprofile(way.hook)  # the writer thread begins below
    try:
        store, clock = SqliteStore(folder / "esito.db"), RealClock()
        await store.open()
    finally:
        threading.setprofile(None)
    account = await account_in(store)
    await links_in(store)
    async with peer() as smsc:
        gateway = Gateway(Receiver(store=store, clock=clock))
        settings = SmppSettings(name="alpha", host="127.0.0.1", port=smsc.port, system_id="smsc", password="secret")

        def make() -> tuple[SmppLink, Submitter]:
            link = SmppLink(settings, gateway)
            return link, Submitter(store=store, clock=clock, link=link)

        ids = iter(range(4710, 4720))
        smsc.on_submit = lambda pdu: p.SubmitSmResp(sequence=pdu.sequence, message_id=str(next(ids)))
        gateway.add("alpha", make)
        await gateway.start()
        try:
            for number in range(TAUGHT + 1):
                await store.accept(message(account, [NUMBER + number], due_at=clock.now()))
                gateway.wake()
                await _answered(store)
            for number in range(TAUGHT):
                await acknowledged(smsc.sessions[0], number)
            sys.setprofile(way.hook)
            try:
                with way.looking():
                    await acknowledged(smsc.sessions[0], TAUGHT)
            finally:
                sys.setprofile(None)
        finally:
            await gateway.stop()
    await store.close()
    return way.walked


async def _answered(store: SqliteStore) -> None:
    async def nothing_waits() -> bool:
        counts = await store.counts()
        return not counts.queued and not counts.unanswered

    async with in_time():
        while not await nothing_waits():
            await asyncio.sleep(0.005)


async def test_a_receipt_goes_through_few_files_and_functions(tmp_path: Path) -> None:
    walked = await walk(tmp_path)
    told = "\n".join(" ".join(one) for one in walked)
    assert len({file for file, _ in walked}) <= MOST_FILES, told
    assert len(walked) <= MOST_FUNCTIONS, told


async def test_the_way_of_a_receipt_is_drawn_as_it_goes(tmp_path: Path) -> None:
    walked = {file for file, _ in await walk(tmp_path)}
    drawing = DRAWN.split("## One receipt")[1].split("```")[1]
    drawn = set(re.findall(r"^([\w/]+\.py) ", drawing, re.MULTILINE))
    assert sorted(walked - drawn) == [], "goes through them, and they are not drawn"
