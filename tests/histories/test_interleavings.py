"""The same answers and receipts, in any two orders, end in the same states: those of the last words of the operator."""

from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from esito.domain.message import Submission, SubmitAnswer, SubmitOutcome
from esito.domain.receipt import DeliveryReceipt
from esito.domain.states import STAT_WORDS
from esito.store.interface.link_store import LinkRecord
from tests.histories.place import Place
from tests.histories.truth import DAY, NUMBERS, SECOND
from tests.kit.builders import NOW, accepted, account_in, message, receipt
from tests.kit.stores import KINDS

EXAMPLES = {"sqlite": 150, "postgres": 20}
WORDS = ("DELIVRD", "UNDELIV", "ENROUTE", "EXPIRED")

Sent = tuple[str, bool, list[str]]
"""A message of a burst: its number, whether its response is lost, and the words of its receipts."""
Happening = tuple[int, str | None]
"""Of which message of the burst: a receipt with this word, or (None) its response, or its loss."""


@st.composite
def bursts(draw: st.DrawFn) -> tuple[list[Sent], bool, list[list[Happening]]]:
    """Some messages that leave at once, whether their ids were used before, and all that follows in two orders."""
    sent: list[Sent] = []
    for _ in range(draw(st.integers(1, 5))):
        number = draw(st.sampled_from(NUMBERS[:2]))
        # Of two lost ones to one number, whose receipts nothing tells apart, nobody can say which is which.
        lost = draw(st.booleans()) and not any(one[0] == number and one[1] for one in sent)
        sent.append((number, lost, draw(st.lists(st.sampled_from(WORDS), max_size=3))))
    happens: list[Happening] = [
        (place, word) for place, (_, _, words) in enumerate(sent) for word in (None, *words)
    ]  # fmt: skip
    return sent, draw(st.booleans()), [list(draw(st.permutations(happens))) for _ in range(2)]


async def ends(place: Place, name: str, *, sent: list[Sent], order: list[Happening], used: bool) -> list[int]:
    """Return the states in which the messages end when things happen in this order."""
    links = await place.register([LinkRecord(name=name, operator=name)])
    store = place.store
    account = await account_in(store, name)

    def said(number: str, smsc_id: int, word: str, at: int, left: int) -> DeliveryReceipt:
        return receipt(str(smsc_id), word, link=name, at=at, addresses=(number, "ESITO"))._replace(submitted_at=left)

    async def leave(at: int) -> dict[int, Submission]:
        numbers = [
            await store.accept(message(account, [int(number)], link=links[name], due_at=at)) for number, _, _ in sent
        ]
        claimed = {one.ref.message_id: one for one in await store.claim(name, limit=100, at=at)}
        return {place: claimed[number] for place, number in enumerate(numbers)}

    if used:
        for number, one in (await leave(NOW)).items():
            await store.record_answers(name, [accepted(one, str(number + 1))])
            await store.apply_receipts([said(sent[number][0], number + 1, "UNDELIV", NOW + 5 * SECOND, NOW)])
    left = NOW + DAY
    leaving = await leave(left)
    for moment, (number, word) in enumerate(order):
        at = left + (moment + 1) * SECOND
        to, lost, _ = sent[number]
        if word is not None:
            await store.apply_receipts([said(to, number + 1, word, at, left)])
        elif lost:
            await store.record_answers(
                name, [SubmitAnswer(ref=leaving[number].ref, answer=SubmitOutcome.UNCERTAIN, at=at)]
            )
        else:
            await store.record_answers(name, [accepted(leaving[number], str(number + 1), at=at)])
    pairs = [(one.ref.message_id, one.msisdn) for one in leaving.values()]
    return [int(status.state) if status else -9 for status in await store.statuses_of(account.id, pairs)]


def told(sent: list[Sent], used: bool, orders: list[list[Happening]]) -> str:
    """Return what was played, a line for each thing that happens."""
    lines = ["each number was used before, with the same id" if used else "the ids are new"]
    lines += [f"m{place} to {number}, id {place + 1}" for place, (number, _, _) in enumerate(sent)]
    for order in orders:
        lines.append("in this order:")
        lines += [
            f"  m{place}: {word or ('its response is lost' if sent[place][1] else 'its response')}"
            for place, word in order
        ]
    return "\n".join(lines)


@pytest.mark.parametrize("kind", KINDS)
def test_any_two_interleavings_end_alike(kind: str) -> None:
    with Place(kind) as place:

        @settings(max_examples=EXAMPLES[kind], deadline=None, suppress_health_check=list(HealthCheck))
        @given(bursts())
        def they_do(burst: tuple[list[Sent], bool, list[list[Happening]]]) -> None:
            sent, used, orders = burst
            ended = [place.run(partial(ends, place, sent=sent, order=order, used=used)) for order in orders]
            last = [max((int(STAT_WORDS[word]) for word in words), default=0) for _, _, words in sent]
            assert ended == [last, last], told(*burst)

        they_do()
