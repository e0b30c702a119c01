"""Texts that travel whole: one submit_sm for all segments of a recipient, and one answer."""

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from esito.domain.message import SegmentRef, Submission, SubmitAnswer, SubmitOutcome
from esito.domain.states import MessageState, MultipartRule
from esito.domain.timing import SECOND_MS, PushableClock
from esito.lifecycle.payload_segments import PayloadSegments
from esito.lifecycle.receive import Receiver
from esito.lifecycle.submit import Submitter
from esito.links.gateway import Gateway
from esito.links.smpp_link import SmppLink
from esito.smpp import pdu as p
from esito.smpp.connect import SmppSettings
from esito.smpp.outgoing import Concatenation, OutgoingSettings
from esito.smpp.pdu import Status, Tag
from esito.store.sqlite import SqliteStore
from tests.kit.builders import NOW, account_in, complaints, links_in, message, receipt, states_of
from tests.kit.operators import submission
from tests.kit.patience import in_time
from tests.kit.peer import Peer, peer, until

LONG = "x" * 400


def segment(message_id: int, part: int, segments: int) -> Submission:
    return replace(submission(LONG, part=part, segments=segments, message_id=message_id), attempts=part)


def answer_to(one: Submission, answer: SubmitOutcome = SubmitOutcome.ACCEPTED) -> SubmitAnswer:
    return SubmitAnswer(
        ref=one.ref, answer=answer, at=NOW, smsc_message_id=f"id{one.ref.message_id}", attempts=one.attempts
    )


@given(st.lists(st.integers(1, 10), min_size=1, max_size=6), st.integers(1, 12), st.integers(0, 2**32))
def test_every_segment_is_answered_once_as_its_first_is(lengths: list[int], portion: int, seed: int) -> None:
    """However claims are cut, and whenever the answers come."""
    segments = [segment(number, part, length) for number, length in enumerate(lengths) for part in range(1, length + 1)]
    payloads, chance = PayloadSegments(), random.Random(seed)
    away: list[Submission] = []
    told: list[SubmitAnswer] = []
    for start in range(0, len(segments), portion):
        going, answers = payloads.first_of(segments[start : start + portion], at=NOW)
        away += going
        told += payloads.with_others(answers)
        for one in list(away):
            if chance.random() < 0.5:
                away.remove(one)
                told += payloads.with_others([answer_to(one)])
    told += payloads.with_others(map(answer_to, away))
    assert sorted(one.ref for one in told) == [one.ref for one in segments]
    assert all(one.smsc_message_id == f"id{one.ref.message_id}" for one in told)
    assert all(one.attempts == one.ref.part for one in told)


def test_a_segment_whose_first_left_with_another_process_is_uncertain() -> None:
    going, answers = PayloadSegments().first_of([segment(1, 2, 3)], at=NOW)
    assert going == []
    assert [(one.ref, one.answer) for one in answers] == [(SegmentRef(1, 0, 2), SubmitOutcome.UNCERTAIN)]


@pytest.mark.anyio
@pytest.mark.parametrize("window", [1, 100])
async def test_one_submit_sm_carries_the_whole_text(store: SqliteStore, clock: PushableClock, window: int) -> None:
    account = await account_in(store)
    await links_in(store, rule=MultipartRule.FIRST)
    async with peer() as smsc, working(store, clock, smsc, window) as gateway:
        numbers = [
            await store.accept(message(account, [33612345678], segments=3, text=LONG)),
            await store.accept(message(account, [33612345679])),
        ]
        gateway.wake()
        pdus = [pdu for pdu in await smsc.came(p.SubmitSm, 2) if isinstance(pdu, p.SubmitSm)]
        whole = next(pdu for pdu in pdus if pdu.destination_addr == "33612345678")
        assert (whole.tlvs, whole.short_message, whole.esm_class) == ({Tag.MESSAGE_PAYLOAD: LONG.encode()}, b"", 0)
        await settled(store)
        assert len(smsc.session.of(p.SubmitSm)) == 2
        await store.apply_receipts([receipt(f"{whole.sequence}", "DELIVRD", at=clock.now())])
        assert await states_of(store, account, numbers[0]) == [MessageState.DELIVERED]
        assert await states_of(store, account, numbers[1]) == [MessageState.WAITING]
    assert await complaints(store) == []


@pytest.mark.anyio
async def test_a_whole_text_that_was_put_off_is_submitted_again_as_one(
    store: SqliteStore, clock: PushableClock
) -> None:
    account = await account_in(store)
    await links_in(store, rule=MultipartRule.FIRST)
    async with peer() as smsc, working(store, clock, smsc, 100) as gateway:
        smsc.on_submit = lambda pdu: p.SubmitSmResp(sequence=pdu.sequence, status=Status.ESME_RMSGQFUL)
        number = await store.accept(message(account, segments=3, text=LONG))
        gateway.wake()
        await smsc.came(p.SubmitSm)
        await settled(store)
        smsc.on_submit = lambda pdu: p.SubmitSmResp(sequence=pdu.sequence, message_id="7")
        clock.advance(60 * SECOND_MS)
        gateway.wake()
        await smsc.came(p.SubmitSm, 2)
        await settled(store)
        assert len(smsc.session.of(p.SubmitSm)) == 2
        await store.apply_receipts([receipt("7", "UNDELIV", at=clock.now())])
        assert await states_of(store, account, number) == [MessageState.UNDELIVERABLE]
    assert await complaints(store) == []


async def settled(store: SqliteStore) -> None:
    async with in_time():
        while (await store.counts()).unanswered:
            await asyncio.sleep(0.01)


@asynccontextmanager
async def working(store: SqliteStore, clock: PushableClock, smsc: Peer, window: int) -> AsyncIterator[Gateway]:
    """A gateway with one link whose operator cuts texts itself."""
    gateway = Gateway(Receiver(store=store, clock=clock))
    settings = SmppSettings(
        name="alpha", host="127.0.0.1", port=smsc.port, system_id="smsc", password="secret", window=window
    )
    outgoing = OutgoingSettings(concatenation=Concatenation.MESSAGE_PAYLOAD)

    def made() -> tuple[SmppLink, Submitter]:
        link = SmppLink(settings, gateway)
        return link, Submitter(store=store, clock=clock, link=link, outgoing=outgoing)

    gateway.add("alpha", made)
    await gateway.start()
    try:
        await until(lambda: all(link.can_send for link in gateway.links))
        yield gateway
    finally:
        await gateway.stop()
