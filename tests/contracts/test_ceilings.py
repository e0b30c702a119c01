"""What an account may send in a day: counted with what keeps the message, over all accounts below it."""

import asyncio
from decimal import Decimal

import pytest

from esito.domain.account import Account, AccountState
from esito.domain.errors import AccountDisabled, DailyCeilingReached, EsitoError, NotEnoughCredit
from esito.domain.message import NewMessage
from esito.domain.timing import DAY_MS, HOUR_MS
from esito.store.interface.account_store import NewSubaccount
from esito.store.interface.store import Store
from tests.kit.builders import NOW, account_in, complaints, links_in, message
from tests.kit.stores import open_at

pytestmark = pytest.mark.anyio

BRANCH = "branch@example.org"


async def branch_of(store: Store, parent: Account, email: str = BRANCH) -> Account:
    new = NewSubaccount(
        email=email, kind="simple", token=email, key_digest=email.encode(), firstname="", lastname="", credit=10_000_000
    )
    await store.ledger.create_subaccount(parent.id, new, actor="", at=NOW)
    found = await store.account_by_key(email.encode())
    assert found is not None
    return found


async def kept(store: Store, *messages: NewMessage) -> list[bool]:
    """Accept messages at the same time; tell which were kept: the others met a ceiling."""
    results = await asyncio.gather(*(store.accept(one) for one in messages), return_exceptions=True)
    assert all(isinstance(one, int | DailyCeilingReached) for one in results), results
    return [isinstance(one, int) for one in results]


async def test_no_more_segments_than_the_ceiling_are_accepted_in_a_day(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    await store.change_profile("acme", {"segments_per_day": 7}, at=NOW)
    assert (
        await kept(store, *[message(account, [33600000001], segments=2) for _ in range(50)])
        == [True] * 3 + [False] * 47
    )
    assert await kept(store, message(account)) == [True]
    assert await kept(store, message(account)) == [False]
    left = await store.account_by_key(b"acme")
    assert left is not None
    assert left.credit == Decimal(100) - 4 * Decimal("0.045"), "what was refused is not charged"


async def test_nor_for_more_money(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    await store.change_profile("acme", {"cost_per_day": Decimal("0.10")}, at=NOW)
    assert await kept(store, *[message(account) for _ in range(20)]) == [True] * 2 + [False] * 18
    assert await kept(store, message(account, cost=10_000)) == [True]
    assert await kept(store, message(account, cost=1)) == [False]


async def test_a_message_is_kept_in_whole_or_not_at_all(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    await store.change_profile("acme", {"segments_per_day": 2}, at=NOW)
    three = message(account, [33600000001, 33600000002, 33600000003])
    assert await kept(store, three) == [False]
    assert (await store.counts()).messages == 0


async def test_a_day_is_one_of_paris(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    await store.change_profile("acme", {"segments_per_day": 1}, at=NOW)

    def at(instant: int) -> NewMessage:
        new = message(account, due_at=instant)
        return NewMessage(**{name: getattr(new, name) for name in new.__slots__} | {"created_at": instant})

    # NOW is 09:00 in Paris, in winter.
    assert await kept(store, at(NOW)) == [True]
    assert await kept(store, at(NOW + 15 * HOUR_MS - 1)) == [False]
    assert await kept(store, at(NOW + 15 * HOUR_MS)) == [True]
    assert await kept(store, at(NOW + DAY_MS)) == [False]


async def test_what_was_sent_on_the_day_before_the_ceiling_was_set_counts(store: Store) -> None:
    account = await account_in(store)
    branch = await branch_of(store, account)
    await links_in(store)
    assert await kept(store, message(account), message(branch)) == [True, True]
    await store.change_profile("acme", {"segments_per_day": 3}, at=NOW)
    assert await kept(store, message(branch)) == [True]
    assert await kept(store, message(branch)) == [False]
    await store.change_profile("acme", {"segments_per_day": 0}, at=NOW)
    assert await kept(store, message(branch), message(branch)) == [True, True]
    await store.change_profile("acme", {"segments_per_day": 6}, at=NOW)
    assert await kept(store, message(account)) == [True]
    assert await kept(store, message(account)) == [False]


async def test_sub_accounts_are_no_way_around_a_ceiling(store: Store) -> None:
    account = await account_in(store)
    branches = [await branch_of(store, account, f"{number}@example.org") for number in range(3)]
    await links_in(store)
    await store.change_profile("acme", {"segments_per_day": 10}, at=NOW)
    await store.change_profile("0@example.org", {"segments_per_day": 2}, at=NOW)
    own = await kept(store, *[message(branches[0]) for _ in range(8)])
    assert sum(own) == 2, "a sub-account has its own ceiling too"
    told = await kept(store, *[message(one) for _ in range(8) for one in (*branches, account)])
    assert (sum(told), sum(told[::4])) == (8, 0)
    await store.ledger.remove_subaccount(account.id, "1@example.org", actor="", at=NOW)
    assert await kept(store, message(await branch_of(store, account)), message(account)) == [False, False]


async def test_what_is_taken_back_does_not_count(store: Store) -> None:
    account = await account_in(store)
    branch = await branch_of(store, account)
    await links_in(store)
    await store.change_profile("acme", {"segments_per_day": 2}, at=NOW)
    number = await store.accept(message(branch, [33600000001, 33600000002], due_at=NOW + HOUR_MS))
    assert await kept(store, message(account)) == [False]
    await store.sending.cancel(branch.id, number, at=NOW)
    assert await kept(store, message(account), message(branch), message(branch)) == [True, True, False]


async def test_the_sandbox_counts_for_nothing(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    await store.change_profile("acme", {"segments_per_day": 1}, at=NOW)
    assert await kept(store, *[message(account, cost=0, sandbox=True) for _ in range(3)]) == [True] * 3
    assert await kept(store, message(account)) == [True]


async def test_what_is_below_is_spent_by_who_sent_it(store: Store) -> None:
    account = await account_in(store)
    branch = await branch_of(store, account)
    await links_in(store)
    await store.change_profile("acme", {"segments_per_day": 5}, at=NOW)
    await store.accept(message(branch, segments=2))
    assert await store.ledger.spent(account.id, ["2027-01"]) == []
    assert await store.ledger.spent(branch.id, ["2027-01"]) == [("2027-01", Decimal("0.045"), 2)]


async def test_the_credit_is_looked_at_first(store: Store) -> None:
    account = await account_in(store, credit="0")
    await links_in(store)
    await store.change_profile("acme", {"segments_per_day": 1}, at=NOW)
    with pytest.raises(NotEnoughCredit) as refused:
        await store.accept(message(account, [33600000001, 33600000002]))
    assert type(refused.value) is NotEnoughCredit


@pytest.mark.parametrize("disabled", ["acme", BRANCH])
async def test_nothing_is_kept_once_the_account_or_one_above_it_is_shut(store: Store, disabled: str) -> None:
    account = await account_in(store)
    branch = await branch_of(store, account)
    await links_in(store)
    await store.set_account_state(disabled, AccountState.DISABLED)
    with pytest.raises(AccountDisabled):
        await store.accept(message(branch))
    result: int | EsitoError
    try:
        result = await store.accept(message(account))
    except EsitoError as refusal:
        result = refusal
    assert isinstance(result, AccountDisabled if disabled == "acme" else int)


async def test_two_processes_at_once_do_not_get_past_it_together(place: str) -> None:
    async with open_at(place) as store, open_at(place) as other:
        account = await account_in(store)
        branch = await branch_of(store, account)
        for one in (store, other):
            await links_in(one)
        await store.change_profile("acme", {"segments_per_day": 25}, at=NOW)

        async def several(by: Store, sender: Account) -> list[bool]:
            return [sent for _ in range(10) for sent in await kept(by, *[message(sender) for _ in range(3)])]

        told = await asyncio.gather(*(several(by, one) for by in (store, other) for one in (account, branch)))
        assert sum(sum(one) for one in told) == 25
        assert await complaints(store) == []
