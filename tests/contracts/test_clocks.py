"""A wall clock that steps back, or differs between hosts, holds up nothing that is to leave at once."""

from collections.abc import Sequence

import pytest

from esito import metrics
from esito.domain.message import Submission, SubmitAnswer, SubmitOutcome
from esito.domain.timing import HOUR_MS, LONGEST_RETRY_MS
from esito.lifecycle.clocks import ClockWatch
from esito.store.interface.store import Store
from tests.kit.builders import NOW, account_in, links_in, message

pytestmark = pytest.mark.anyio

BACK = NOW - HOUR_MS
"""What the clock says after it was set back, or what another host's says."""


async def put_off(store: Store, claimed: Sequence[Submission], *, until: int) -> None:
    answers = [
        SubmitAnswer(ref=one.ref, answer=SubmitOutcome.LATER, at=NOW, status=0x58, retry_at=until) for one in claimed
    ]
    await store.record_answers("alpha", answers)


async def test_what_is_to_leave_at_once_leaves_whatever_the_clock_says(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    number = await store.accept(message(account))
    assert await store.due("alpha", BACK)
    assert [one.ref.message_id for one in await store.claim("alpha", limit=9, at=BACK)] == [number]


async def test_what_goes_back_is_submitted_again_whatever_the_clock_says(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    await store.accept(message(account, [33600000000 + seq for seq in range(30)], cost=0))
    await put_off(store, await store.claim("alpha", limit=100, at=NOW), until=NOW + 60_000)
    assert await store.claim("alpha", limit=100, at=NOW + 59_999) == []
    assert await store.due("alpha", BACK)
    assert len(await store.claim("alpha", limit=100, at=BACK)) == 30


async def test_the_longest_pause_that_is_meant_is_kept(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    await store.accept(message(account))
    await put_off(store, await store.claim("alpha", limit=9, at=NOW), until=NOW + LONGEST_RETRY_MS)
    for at in (NOW, NOW + LONGEST_RETRY_MS - 1):
        assert not await store.due("alpha", at)
        assert await store.claim("alpha", limit=9, at=at) == []
    assert len(await store.claim("alpha", limit=9, at=NOW + LONGEST_RETRY_MS)) == 1


async def test_what_is_scheduled_goes_by_the_clock(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    await store.accept(message(account, due_at=NOW + HOUR_MS))
    assert not await store.due("alpha", NOW)
    assert await store.claim("alpha", limit=9, at=NOW) == []
    assert len(await store.claim("alpha", limit=9, at=NOW + HOUR_MS)) == 1


class Hands:
    """A clock, and a time that never steps, both moved by hand."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.passed = 0.0

    def now(self) -> int:
        return self.at

    def seconds(self) -> float:
        return self.passed


async def test_how_far_the_clock_was_set_and_differs_stands_in_the_metrics(store: Store) -> None:
    theirs = await store.leases.now()
    hands = Hands(theirs)
    watch = ClockWatch(store.leases, clock=hands, seconds=hands.seconds)
    hands.at += 10_000
    hands.passed += 10
    await watch.look()
    assert _shown("esito_clock_stepped_seconds") == 0
    hands.at -= 3_600_000
    await watch.look()
    assert _shown("esito_clock_stepped_seconds") == -3_600
    assert -7_200 < _shown("esito_clock_ahead_of_store_seconds") <= -3_590


def _shown(name: str) -> float:
    lines = metrics.render().decode().splitlines()
    return float(next(line.split()[1] for line in lines if line.startswith(f"{name} ")))
