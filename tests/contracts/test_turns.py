"""Who leaves in which turn: accounts share a link, and nothing small waits for something large."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from esito.domain.account import Account
from esito.domain.message import Range, Submission, SubmitAnswer, SubmitOutcome
from esito.domain.timing import HOUR_MS
from esito.store.interface.store import Store
from tests.kit.builders import NOW, account_in, links_in, message

pytestmark = pytest.mark.anyio


async def campaign(
    store: Store, account: Account, recipients: int = 100, *, messages: int = 1, **changed: Any
) -> list[int]:
    """Accept messages of many recipients; return their ids."""
    new = replace(message(account, [33600000000 + seq for seq in range(recipients)], cost=0), **changed)
    return [await store.accept(new) for _ in range(messages)]


async def single(store: Store, account: Account, **changed: Any) -> int:
    return await store.accept(replace(message(account, cost=0), **changed))


def of(claimed: Sequence[Submission], *numbers: int) -> int:
    """Count the segments of some messages."""
    return sum(one.ref.message_id in numbers for one in claimed)


async def claim(store: Store, limit: int, *, at: int = NOW) -> list[Submission]:
    return await store.claim("alpha", limit=limit, at=at)


async def test_accounts_take_turns(store: Store) -> None:
    first, second = await account_in(store), await account_in(store, "other")
    await links_in(store)
    (large,) = await campaign(store, first, 400)
    assert of(await claim(store, 50), large) == 50
    (late,) = await campaign(store, second, 400)
    claimed = await claim(store, 100)
    assert (of(claimed, large), of(claimed, late)) == (50, 50)


async def test_an_account_of_more_weight_has_more_turns(store: Store) -> None:
    first, second = await account_in(store), await account_in(store, "other")
    await store.change_profile("other", {"weight": 3})
    await links_in(store)
    (one,) = await campaign(store, first, 200)
    (three,) = await campaign(store, second, 200)
    claimed = await claim(store, 100)
    assert (of(claimed, one), of(claimed, three)) == (25, 75)


async def test_a_single_message_of_another_account_is_in_the_next_claim(store: Store) -> None:
    first, second = await account_in(store), await account_in(store, "other")
    await links_in(store)
    await campaign(store, first, 500, messages=20)
    for _ in range(20):
        await claim(store, 10)
    code = await single(store, second)
    assert of(await claim(store, 1), code) == 1


async def test_a_small_message_is_not_held_up_by_a_large_one_of_its_own_account(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    (large,) = await campaign(store, account, 500)
    await claim(store, 10)
    code = await single(store, account)
    claimed = await claim(store, 10)
    assert (of(claimed, code), of(claimed, large)) == (1, 9)


async def test_small_messages_leave_the_large_one_its_half(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    (large,) = await campaign(store, account, 100)
    for _ in range(30):
        await single(store, account)
    shares = [of(await claim(store, limit), large) for limit in (10, 10, 1, 1, 1, 1)]
    assert shares == [5, 5, *shares[2:]]
    assert sum(shares[2:]) == 2
    assert len(await claim(store, 1000)) == 130 - 24


async def test_a_higher_priority_goes_first_within_the_account_and_takes_nothing_from_others(store: Store) -> None:
    first, second = await account_in(store), await account_in(store, "other")
    await links_in(store)
    (low,) = await campaign(store, first, 50)
    (high,) = await campaign(store, first, 50, priority=3)
    (middle,) = await campaign(store, first, 50, priority=1)
    (other,) = await campaign(store, second, 150)
    claimed = await claim(store, 200)
    assert (of(claimed, high), of(claimed, middle), of(claimed, low), of(claimed, other)) == (50, 50, 0, 100)
    assert {one.priority for one in claimed if one.ref.message_id == high} == {3}


async def test_premium_goes_before_low_cost(store: Store) -> None:
    first, second = await account_in(store), await account_in(store, "other")
    await links_in(store)
    (cheap,) = await campaign(store, first, 100, gamme=Range.LOW_COST)
    (premium,) = await campaign(store, first, 100)
    assert of(await claim(store, 60), premium) == 60
    (others,) = await campaign(store, second, 200, gamme=Range.LOW_COST)
    claimed = await claim(store, 45)
    assert (of(claimed, premium), of(claimed, others), of(claimed, cheap)) == (40, 5, 0)


async def test_what_is_scheduled_stays_out_of_the_way_and_takes_its_turn_when_it_is_due(store: Store) -> None:
    first, second = await account_in(store), await account_in(store, "other")
    await links_in(store)
    scheduled = await campaign(store, first, 10, messages=5, due_at=NOW + HOUR_MS)
    (waiting,) = await campaign(store, second, 200)
    claimed = await claim(store, 50)
    assert (of(claimed, *scheduled), of(claimed, waiting)) == (0, 50)
    claimed = await claim(store, 50, at=NOW + HOUR_MS)
    assert of(claimed, *scheduled) in {25, 26}
    assert len(claimed) == 50


async def test_everybody_is_served_within_a_round_however_many_they_are(store: Store) -> None:
    """More accounts than one claim looks at."""
    accounts = [await account_in(store, f"a{number}") for number in range(230)]
    await links_in(store)
    for account in accounts:
        await campaign(store, account, 3)
    claimed: Counter[int] = Counter()
    for _ in range(60):
        claimed.update(one.ref.message_id for one in await claim(store, 8))
    assert len(claimed) == 230
    assert max(claimed.values()) <= 3


async def test_a_claim_reads_no_more_with_a_backlog(store: Store) -> None:
    """The order is that of an index: what is claimed comes oldest first, from the very message that was begun."""
    account = await account_in(store)
    await links_in(store)
    numbers = await campaign(store, account, 20, messages=10)
    order = [one.ref for _ in range(20) for one in await claim(store, 10)]
    assert order == sorted(order)
    assert {one.message_id for one in order} == set(numbers)


# -- what was put off --------------------------------------------------------------------------


async def put_off(store: Store, claimed: Sequence[Submission], *, until: int = NOW) -> None:
    answers = [
        SubmitAnswer(ref=one.ref, answer=SubmitOutcome.LATER, at=NOW, status=0x14, retry_at=until) for one in claimed
    ]
    await store.record_answers("alpha", answers)


async def test_fresh_work_and_work_put_off_each_keep_half_of_the_link(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    (full,) = await campaign(store, account, 300)
    await put_off(store, await claim(store, 300))
    (fresh,) = await campaign(store, account, 100)
    for limit, again in ((10, 5), (7, 3), (2, 1)):
        claimed = await claim(store, limit)
        assert (of(claimed, full), of(claimed, fresh)) == (again, limit - again)
        await put_off(store, [one for one in claimed if one.ref.message_id == full])
    turns = [of(await claim(store, 1), fresh) for _ in range(6)]
    assert turns in ([0, 1] * 3, [1, 0] * 3)


async def test_what_one_kind_does_not_need_the_other_gets(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    (full,) = await campaign(store, account, 50)
    await put_off(store, await claim(store, 50))
    fresh = await single(store, account)
    claimed = await claim(store, 20)
    assert (of(claimed, full), of(claimed, fresh)) == (19, 1)
    claimed = await claim(store, 20)
    assert of(claimed, full) == 20
