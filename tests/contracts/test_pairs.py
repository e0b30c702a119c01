"""Several messages to one number whose responses were lost: the count of their receipts tells what became of them."""

import pytest

from esito.domain.states import MessageState as S
from esito.domain.timing import HOUR_MS, MINUTE_MS
from esito.store.base import Store
from tests.contracts.submissions import PARIS, dated, lost, sent, state_of
from tests.kit.builders import NOW, account_in, links_in, message

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("gap_ms", [30_000, 60_000, 110_000, 130_000])
async def test_messages_minutes_apart_are_paired_though_each_receipt_fits_several(store: Store, gap_ms: int) -> None:
    await links_in(store)
    account = await account_in(store)
    messages = [one for place in range(5) for one in await sent(store, account, PARIS, at=NOW + place * gap_ms)]
    for one in messages:
        await lost(store, one, at=NOW + 12 * MINUTE_MS)
    for place in range(5):
        await store.apply_receipts(
            [dated(f"A{place}", PARIS, at=NOW + 20 * MINUTE_MS + place, submitted_at=NOW + place * gap_ms)]
        )
    assert [await state_of(store, account, one) for one in messages] == [S.DELIVERED] * 5


async def test_with_one_receipt_missing_nobody_is_chosen(store: Store) -> None:
    await links_in(store)
    account = await account_in(store)
    messages = [one for place in range(4) for one in await sent(store, account, PARIS, at=NOW + place * MINUTE_MS)]
    for one in messages:
        await lost(store, one, at=NOW + 12 * MINUTE_MS)
    for place in (0, 1, 3):
        said = dated(f"A{place}", PARIS, at=NOW + 20 * MINUTE_MS, submitted_at=NOW + place * MINUTE_MS)
        assert (await store.apply_receipts([said])).verdicts == {"orphan": 1}
    assert [await state_of(store, account, one) for one in messages] == [S.WAITING] * 4


@pytest.mark.parametrize("count", [39, 40, 100])
async def test_a_whole_window_of_one_number_is_paired(store: Store, count: int) -> None:
    await links_in(store)
    account = await account_in(store, credit="1000")
    for _ in range(count):
        await store.accept(message(account, [PARIS]))
    claimed = await store.claim("alpha", limit=1000, at=NOW)
    said = [dated(f"A{place}", PARIS, at=NOW + 3_000 + place, submitted_at=NOW) for place in range(count)]
    assert (await store.apply_receipts(said)).verdicts == {"parked": count}
    await store.recover(NOW + MINUTE_MS)
    assert {await state_of(store, account, one) for one in claimed} == {S.DELIVERED}


@pytest.mark.parametrize("together", [True, False])
async def test_two_receipts_with_one_reused_id_find_their_own_by_date(store: Store, *, together: bool) -> None:
    await links_in(store)
    account = await account_in(store)
    (first,) = await sent(store, account, PARIS, at=NOW)
    await lost(store, first, at=NOW + MINUTE_MS)
    (second,) = await sent(store, account, PARIS, at=NOW + HOUR_MS)
    await lost(store, second, at=NOW + HOUR_MS + MINUTE_MS)
    said = [
        dated("7", PARIS, at=NOW + 2 * HOUR_MS, submitted_at=NOW),
        dated("7", PARIS, at=NOW + 2 * HOUR_MS + 1, submitted_at=NOW + HOUR_MS, word="UNDELIV"),
    ]
    for batch in [said] if together else [[one] for one in said]:
        await store.apply_receipts(batch)
    states = [await state_of(store, account, one) for one in (first, second)]
    assert states == [S.DELIVERED, S.UNDELIVERABLE]
