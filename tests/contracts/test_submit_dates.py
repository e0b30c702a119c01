"""Submit dates of another zone or of a wrong clock: believed at first, not asked once they have misled enough."""

import pytest

from esito.domain.account import Account
from esito.domain.states import MessageState as S
from esito.domain.submit_dates import MISLEAD, SURE
from esito.domain.timing import HOUR_MS, MINUTE_MS
from esito.store.base import Store
from tests.contracts.submissions import PARIS, ROME, answered, dated, lost, sent, state_of
from tests.kit.builders import NOW, account_in, links_in

pytestmark = pytest.mark.anyio

EARLIER = NOW - 12 * HOUR_MS


@pytest.fixture
async def account(store: Store) -> Account:
    await links_in(store)
    return await account_in(store)


async def told(store: Store, account: Account, count: int, *, ahead: int, first: int = 0) -> None:
    """Let messages be delivered whose receipts are dated so many milliseconds ahead of us; ids are known to be plain.

    The first receipts make the form of the ids known, and are not counted therefore.
    """
    for place in range(count + 3 * (not first)):
        at = EARLIER + (first + place) * MINUTE_MS
        (one,) = await sent(store, account, ROME, at=at)
        await answered(store, one, f"90{first + place:04}", at=at + 1)
        said = dated(f"90{first + place:04}", ROME, at=at + 2_000, submitted_at=at + ahead)
        assert (await store.apply_receipts([said])).verdicts == {"moved": 1}


async def mislead(store: Store) -> bool:
    return (await store.id_forms())["alpha"].dates.mislead


async def test_a_date_of_another_zone_is_not_asked_once_it_has_misled_often(store: Store, account: Account) -> None:
    """The receipt of a message is dated like one that left an hour later, and whose response was lost."""
    await told(store, account, MISLEAD, ahead=HOUR_MS)
    assert await mislead(store)
    (old,) = await sent(store, account, PARIS, at=NOW)
    await answered(store, old, "1", at=NOW + 1)
    (new,) = await sent(store, account, PARIS, at=NOW + HOUR_MS)
    await lost(store, new, at=NOW + HOUR_MS + MINUTE_MS)
    said = dated("1", PARIS, at=NOW + HOUR_MS + 2 * MINUTE_MS, submitted_at=NOW + HOUR_MS)
    await store.apply_receipts([said])
    assert [await state_of(store, account, one) for one in (old, new)] == [S.DELIVERED, S.WAITING]


@pytest.mark.parametrize("receipt_first", [False, True])
async def test_a_segment_whose_response_was_lost_is_found_though_the_dates_are_wrong(
    store: Store, account: Account, *, receipt_first: bool
) -> None:
    await told(store, account, MISLEAD, ahead=-HOUR_MS)
    (one,) = await sent(store, account, PARIS, at=NOW)
    said = dated("1", PARIS, at=NOW + MINUTE_MS, submitted_at=NOW - HOUR_MS)
    if receipt_first:
        assert (await store.apply_receipts([said])).verdicts == {"parked": 1}
    await lost(store, one, at=NOW + 2 * MINUTE_MS)
    if not receipt_first:
        await store.apply_receipts([said])
    assert await state_of(store, account, one) == S.DELIVERED


async def test_wrong_dates_among_right_ones_change_nothing(store: Store, account: Account) -> None:
    await told(store, account, 2, ahead=0)
    await told(store, account, MISLEAD, ahead=HOUR_MS, first=10)
    assert not await mislead(store)
    await told(store, account, 3, ahead=HOUR_MS, first=40)
    assert await mislead(store)


async def test_dates_are_asked_again_once_they_are_right(store: Store, account: Account) -> None:
    """Somebody has corrected `receipt_timezone`."""
    await told(store, account, 2 * SURE, ahead=HOUR_MS)
    assert await mislead(store)
    await told(store, account, SURE - MISLEAD + 1, ahead=0, first=100)
    assert not await mislead(store)


async def test_dates_that_were_right_for_long_are_found_wrong_as_soon(store: Store, account: Account) -> None:
    """A clock change that only one side knows of."""
    await told(store, account, 2 * SURE, ahead=0)
    await told(store, account, SURE + MISLEAD, ahead=HOUR_MS, first=100)
    assert await mislead(store)


async def test_a_date_that_another_message_may_explain_is_not_counted(store: Store, account: Account) -> None:
    """Ids come round: receipts of messages whose responses are owed are dated like those."""
    await told(store, account, 0, ahead=0)
    for place in range(2 * MISLEAD):
        at = NOW + place * HOUR_MS
        (old,) = await sent(store, account, PARIS, at=at)
        await answered(store, old, f"{place}1", at=at + 1)
        (new,) = await sent(store, account, PARIS, at=at + 30 * MINUTE_MS)
        said = dated(f"{place}1", PARIS, at=at + 31 * MINUTE_MS, submitted_at=at + 30 * MINUTE_MS)
        await store.apply_receipts([said])
        await answered(store, new, f"{place}1", at=at + 32 * MINUTE_MS)
        assert [await state_of(store, account, one) for one in (old, new)] == [S.WAITING, S.DELIVERED]
    assert not await mislead(store)
