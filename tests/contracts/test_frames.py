"""Frames of receipts through a log: each is applied once, in whatever order and however often it comes."""

import random

import pytest

from esito.domain.receipt import DeliveryReceipt
from esito.store.interface.frame_store import Mark, NumberedFrame
from esito.store.interface.store import Store
from tests.kit.builders import account_in, complaints, links_in, message, receipt, states_of, submitted

pytestmark = pytest.mark.anyio


def frame(sequence: int, *receipts: DeliveryReceipt, gateway: str = "g1", epoch: int = 7) -> NumberedFrame:
    return NumberedFrame(gateway, epoch, sequence, receipts)


async def test_the_receipts_of_a_frame_are_applied_and_the_frame_is_remembered(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    number = await submitted(store, message(account), ["one"])
    applied = await store.frames.apply([frame(1, receipt("one", "DELIVRD"))])
    assert applied == (1, 1, {"moved": 1})
    assert await states_of(store, account, number) == [8]
    assert await store.frames.marks() == [Mark("g1", 7, 1, ())]


async def test_a_frame_that_comes_again_changes_nothing(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    number = await submitted(store, message(account), ["one"])
    one = frame(1, receipt("one", "DELIVRD"))
    await store.frames.apply([one, one])
    assert await store.frames.apply([one]) == (0, 0, {})
    found = await store.evidence_of(account.id, number, "+33612345678")
    assert found is not None
    assert [row.verdict.value for row in found.trail] == ["moved"]


async def test_a_frame_that_is_missing_is_seen_and_comes_later(store: Store) -> None:
    await links_in(store)
    await store.frames.apply([frame(1), frame(2)])
    await store.frames.apply([frame(5), frame(4)])
    (mark,) = await store.frames.marks("g1")
    assert (mark.confirmed, mark.beyond, mark.missing) == (2, (4, 5), [3])
    await store.frames.apply([frame(3)])
    assert await store.frames.marks("g1") == [Mark("g1", 7, 5, ())]
    assert await store.frames.marks("another") == []


async def test_series_of_other_gateways_and_epochs_are_their_own(store: Store) -> None:
    await links_in(store)
    await store.frames.apply([frame(1), frame(1, gateway="g2"), frame(2, epoch=8), frame(1, epoch=8)])
    assert await store.frames.marks() == [Mark("g1", 7, 1, ()), Mark("g1", 8, 2, ()), Mark("g2", 7, 1, ())]


async def test_frames_in_any_order_and_any_portions_end_alike(store: Store) -> None:
    await links_in(store)
    chance = random.Random(5)
    for epoch in range(10):
        frames = [frame(sequence, receipt(f"{epoch}-{sequence}", "DELIVRD"), epoch=epoch) for sequence in range(1, 30)]
        frames += chance.sample(frames, 10)
        chance.shuffle(frames)
        while frames:
            size = chance.randint(1, 9)
            await store.frames.apply(frames[:size])
            frames = frames[size:]
    assert [mark[2:] for mark in await store.frames.marks()] == [(29, ())] * 10
    assert len(await store.orphans(after=0, limit=1000)) == 290
    assert await complaints(store) == []


async def test_what_is_no_frame_is_set_aside_once_for_its_place(store: Store) -> None:
    for _ in range(2):
        await store.frames.set_aside(17, b"nonsense", reason="no such version", at=1)
    (one,) = await store.frames.poison()
    assert (one.place, one.content, one.reason, one.at) == (17, b"nonsense", "no such version", 1)
