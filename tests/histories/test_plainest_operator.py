"""The plainest operator: it counts its ids, never uses one twice, and sends each receipt right after its response.

Answers and receipts are recorded in the order of the wire, some at a time, as the process records what one read brings:
nobody waits in between. Then once more with each receipt recorded before its answer.
"""

import asyncio
import random
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from esito.domain.message import Submission
from esito.domain.receipt import DeliveryReceipt
from esito.store.interface.store import Store
from tests.histories.truth import WRITINGS, Writing
from tests.kit.builders import NOW, accepted, account_in, complaints, links_in, message, receipt
from tests.kit.ram import a_folder
from tests.kit.stores import KINDS, a_store

LINKS = tuple(f"link{number}" for number in range(4))
WINDOW = 8
"""Of each link: 32 are in flight."""

MANY, SOME, FEW = 1200, 300, 150
"""Messages: ids that count from 1 come to be of one to four digits; in the millions one hundred is like the next. What
is decided is the same in every store: `FEW` show that one keeps it."""

AS_WRITTEN = ("decimal", "hexadecimal", "padded")
IN_ANOTHER_BASE = ("hexadecimal, decimal in receipts", "decimal, hexadecimal in receipts")
FIRST = (1, 7_300_000)


class Wire:
    """What is on its way on one link, and the operator at its end."""

    def __init__(self, store: Store, link: str, writing: Writing, *, overtaking: bool) -> None:
        """`overtaking`: the receipts of a read are recorded before its responses."""
        self._overtaking = overtaking
        self._store = store
        self._link = link
        self._writing = writing
        self.in_flight: list[tuple[Submission, int]] = []
        self.done: list[tuple[Submission, int]] = []
        self.verdicts: Counter[str] = Counter()

    async def fill(self, at: int, first: int) -> int:
        """Let the window fill; the ids count from `first`. Return how many left."""
        claimed = await self._store.claim(self._link, limit=WINDOW - len(self.in_flight), at=at)
        self.in_flight += [(one, first + place) for place, one in enumerate(claimed)]
        return len(claimed)

    async def read(self, count: int, at: int) -> None:
        """Record what one read brings: responses, and a receipt right behind each."""
        come, self.in_flight = self.in_flight[:count], self.in_flight[count:]
        self.done += come
        answers = [accepted(one, self._writing.response.format(number), at=at) for one, number in come]
        receipts = [self._receipt(one, number, at) for one, number in come]
        answering, settling = self._store.record_answers(self._link, answers), self._store.apply_receipts(receipts)
        if self._overtaking:
            settled, _ = await asyncio.gather(settling, answering)
        else:
            _, settled = await asyncio.gather(answering, settling)
        self.verdicts.update(settled.verdicts)

    def _receipt(self, one: Submission, number: int, at: int) -> DeliveryReceipt:
        smsc_id, addresses = self._writing.receipt.format(number), (one.msisdn[1:], "ESITO")
        said = receipt(smsc_id, "DELIVRD", link=self._link, at=at, addresses=addresses)
        return said._replace(submitted_at=at // 1000 * 1000, error_code=str(number))


async def play(store: Store, writing: Writing, first: int, msisdns: list[int], *, overtaking: bool) -> Counter[str]:
    """Send a message to each number; return what became of the receipts as they came."""
    account = await account_in(store, credit="1000")
    links = await links_in(store, *LINKS, operator="plain")
    _, cursor = await store.events(account.id, after=None, limit=1)
    for place, msisdn in enumerate(msisdns):
        await store.accept(message(account, [msisdn], link=links[LINKS[place % len(LINKS)]]))
    chance, at, given = random.Random(7), NOW, 0
    wires = [Wire(store, link, writing, overtaking=overtaking) for link in LINKS]
    while True:
        for wire in wires:
            given += await wire.fill(at, first + given)
        busy = [wire for wire in wires if wire.in_flight]
        if not busy:
            break
        at += 40
        await chance.choice(busy).read(chance.randint(1, WINDOW), at)
    meant = {one.ref.message_id: number for wire in wires for one, number in wire.done}
    while True:
        events, cursor = await store.events(account.id, after=cursor, limit=500)
        for event in events:
            assert event.error == str(meant[event.message_id]), "a receipt stands in the trail of another message"
        if len(events) < 500:
            break
    return sum((wire.verdicts for wire in wires), Counter[str]())


async def played(
    kind: str, folder: Path, writing: Writing, first: int, to: str, *, overtaking: bool = False
) -> Counter[str]:
    """Play on a store of a kind; everything must end delivered, and nothing wait or be left over."""
    count = messages(kind, first)
    msisdns = [33612345678] * count if to == "one number" else [33600000000 + number for number in range(count)]
    async with a_store(kind, folder) as store:
        verdicts = await play(store, writing, first, msisdns, overtaking=overtaking)
        counts = await store.counts()
        assert (counts.by_status, counts.unmatched) == ({"Delivered": count}, 0)
        assert await complaints(store) == []
        return verdicts


def messages(kind: str, first: int) -> int:
    """Return how many messages are sent where ids count from `first`."""
    if kind != "sqlite":
        return FEW
    return MANY if first < MANY else SOME


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder in memory: what is kept need not outlive the test."""
    there = a_folder("esito-plainest-")
    yield there
    shutil.rmtree(there)


@pytest.mark.parametrize("to", ["one number", "many numbers"])
@pytest.mark.parametrize("first", FIRST)
@pytest.mark.parametrize("writing", AS_WRITTEN)
@pytest.mark.parametrize("kind", KINDS)
def test_every_receipt_moves_its_message_at_once(kind: str, writing: str, first: int, to: str, folder: Path) -> None:
    verdicts = asyncio.run(played(kind, folder, WRITINGS[writing], first, to))
    assert verdicts == {"moved": messages(kind, first)}


@pytest.mark.parametrize("to", ["one number", "many numbers"])
@pytest.mark.parametrize("first", FIRST)
@pytest.mark.parametrize("writing", IN_ANOTHER_BASE)
@pytest.mark.parametrize("kind", KINDS)
def test_another_base_is_learned_and_nobody_is_moved_wrongly(
    kind: str, writing: str, first: int, to: str, folder: Path
) -> None:
    asyncio.run(played(kind, folder, WRITINGS[writing], learnable(writing, first, to), to))


def learnable(writing: str, first: int, to: str) -> int:
    """Return from which id on an operator counts, so that its form shows before an id means two things at once.

    Of the first dozens, to one number, the very id of one message is that of another in the other base while both are
    in flight: nobody could tell them apart, and the very id is believed.
    """
    return 100 if writing in IN_ANOTHER_BASE and to == "one number" and first == 1 else first


@pytest.mark.parametrize("to", ["one number", "many numbers"])
@pytest.mark.parametrize("first", FIRST)
@pytest.mark.parametrize("writing", AS_WRITTEN + IN_ANOTHER_BASE)
@pytest.mark.parametrize("kind", KINDS)
def test_receipts_that_overtake_their_responses_end_alike(
    kind: str, writing: str, first: int, to: str, folder: Path
) -> None:
    first = learnable(writing, first, to)
    asyncio.run(played(kind, folder, WRITINGS[writing], first, to, overtaking=True))
