"""An administrator takes back what is queued, of one message or of an account; what was claimed leaves."""

from decimal import Decimal

import pytest

from esito.domain.account import Account
from esito.domain.errors import AlreadyCancelled, AlreadySent, MessageNotFound, NoSuchAccount
from esito.domain.message import SubmitAnswer, SubmitOutcome
from esito.domain.states import MessageState
from esito.domain.timing import DAY_MS, HOUR_MS, VALIDITY_MS
from esito.store.interface.message_store import TakenBack
from esito.store.interface.store import Store
from tests.contracts.test_ceilings import branch_of
from tests.kit.builders import NOW, accepted, account_in, expire, links_in, message, receipt, states_of

pytestmark = pytest.mark.anyio

WAITING, KO, DELIVERED = MessageState.WAITING, MessageState.KO, MessageState.DELIVERED
FOUR = [33600000001, 33600000002, 33600000003, 33600000004]


async def take_back(store: Store, number: int) -> TakenBack:
    return await store.sending.take_back(number, actor="cli:root", at=NOW)


async def credit_of(store: Store) -> Decimal:
    found = await store.account_by_key(b"acme")
    assert found is not None
    return found.credit


@pytest.mark.parametrize("due_at", [NOW, NOW + 1, NOW + DAY_MS])
async def test_a_message_is_taken_back_whenever_it_is_due(store: Store, due_at: int) -> None:
    account = await account_in(store)
    await links_in(store)
    number = await store.accept(message(account, FOUR, due_at=due_at))
    assert await take_back(store, number) == TakenBack(1, 4, 4, Decimal("0.18"))
    assert await states_of(store, account, number) == [KO] * 4
    assert await credit_of(store) == 100
    assert await store.claim("alpha", limit=9, at=due_at) == []
    (line,) = await store.ledger.audit(limit=1)
    assert (line.actor, line.act, line.subject) == ("cli:root", "message taken back", str(number))
    assert line.details == "4 of 4 recipients of acme, +0.18"


async def test_what_was_claimed_leaves_and_is_paid(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    number = await store.accept(message(account, FOUR))
    claimed = await store.claim("alpha", limit=2, at=NOW)
    assert await take_back(store, number) == TakenBack(1, 2, 4, Decimal("0.09"))
    assert await credit_of(store) == 100 - Decimal("0.09")
    await store.record_answers("alpha", [accepted(one, f"id{one.ref.seq}") for one in claimed])
    await store.apply_receipts([receipt("id0", "DELIVRD")])
    assert await states_of(store, account, number) == [DELIVERED, WAITING, KO, KO]
    await expire(store, NOW + VALIDITY_MS + HOUR_MS)
    assert await states_of(store, account, number) == [DELIVERED, MessageState.EXPIRED, KO, KO]
    assert await credit_of(store) == 100 - Decimal("0.09")


async def test_of_a_text_that_has_left_in_part_no_more_leaves(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    number = await store.accept(message(account, segments=3))
    claimed = await store.claim("alpha", limit=1, at=NOW)
    assert await take_back(store, number) == TakenBack(1, 0, 1, Decimal(0))
    await store.record_answers("alpha", [accepted(claimed[0], "id")])
    assert await store.claim("alpha", limit=9, at=NOW) == []
    await expire(store, NOW + VALIDITY_MS + HOUR_MS)
    assert await states_of(store, account, number) == [MessageState.EXPIRED]


async def test_what_the_operator_refused_for_now_is_taken_back(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    number = await store.accept(message(account))
    (claimed,) = await store.claim("alpha", limit=9, at=NOW)
    later = SubmitAnswer(ref=claimed.ref, answer=SubmitOutcome.LATER, at=NOW, status=0x58, retry_at=NOW + 1_000)
    await store.record_answers("alpha", [later])
    assert await take_back(store, number) == TakenBack(1, 1, 1, Decimal("0.045"))
    assert await store.claim("alpha", limit=9, at=NOW + HOUR_MS) == []


async def test_nothing_is_taken_back_twice_or_once_it_has_left(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    number, other = await store.accept(message(account)), await store.accept(message(account))
    await take_back(store, number)
    await store.claim("alpha", limit=9, at=NOW)
    for refused, why in ((number, AlreadyCancelled), (other, AlreadySent), (other + 1, MessageNotFound)):
        with pytest.raises(why):
            await take_back(store, refused)
    assert len(await store.ledger.audit(limit=9)) == 2


async def test_a_rehearsal_that_is_scheduled_is_taken_back_and_one_that_was_is_not(store: Store) -> None:
    account = await account_in(store)
    await links_in(store)
    number = await store.accept(message(account, FOUR, cost=0, sandbox=True, due_at=NOW + DAY_MS))
    assert await take_back(store, number) == TakenBack(1, 4, 4)
    with pytest.raises(AlreadyCancelled):
        await take_back(store, number)
    with pytest.raises(AlreadySent):
        await take_back(store, await store.accept(message(account, cost=0, sandbox=True)))


async def all_back(store: Store, account: str) -> TakenBack:
    found = TakenBack()
    while (taken := await store.sending.take_back_queued(account, at=NOW)).messages:
        found = found.more(taken)
    return found


async def test_all_that_an_account_and_those_below_it_have_queued_is_taken_back(store: Store) -> None:
    account, other = await account_in(store), await account_in(store, "other")
    branch = await branch_of(store, account)
    await links_in(store)
    later = await store.accept(message(account))
    (claimed,) = await store.claim("alpha", limit=1, at=NOW)
    answer = SubmitAnswer(ref=claimed.ref, answer=SubmitOutcome.LATER, at=NOW, status=0x58, retry_at=NOW + 1_000)
    await store.record_answers("alpha", [answer])
    many = [33600000000 + seq for seq in range(300)]
    numbers = [
        await store.accept(message(account, many, due_at=NOW + DAY_MS)),
        await store.accept(message(account, many)),
        await store.accept(message(branch, FOUR)),
        later,
    ]
    others = await store.accept(message(other, FOUR))
    assert await all_back(store, "acme") == TakenBack(4, 605, 605, 605 * Decimal("0.045"))

    async def states(of: Account, number: int) -> set[int]:
        return set(await states_of(store, of, number))

    owners = [account, account, branch, account]
    assert [await states(of, number) for of, number in zip(owners, numbers, strict=True)] == [{KO}] * 4
    assert await states(other, others) == {WAITING}
    assert await credit_of(store) == 90, "10 went to the sub-account"
    assert await all_back(store, "acme") == TakenBack()
    with pytest.raises(NoSuchAccount):
        await all_back(store, "nobody")
