"""Several messages to one number whose responses were lost: the count of their receipts tells what became of them."""

import pytest

from esito.domain.states import MessageState as S
from esito.domain.timing import HOUR_MS, MINUTE_MS
from esito.store.interface.link_store import LinkRecord
from esito.store.interface.store import Store
from esito.store.transactions import settling
from tests.contracts.submissions import PARIS, answered, dated, lost, sent, state_of
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


async def test_twins_are_told_apart_however_many_others_never_are(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settling, "AT_ONCE", 1)
    await links_in(store)
    account = await account_in(store)
    for number in (33600000001, 33600000002):
        for one in [await sent(store, account, number, at=NOW), await sent(store, account, number, at=NOW + 1)]:
            await lost(store, *one, at=NOW + MINUTE_MS)
        said = dated(f"old{number}", number, at=NOW + 2 * MINUTE_MS, submitted_at=NOW)
        assert (await store.apply_receipts([said])).verdicts == {"orphan": 1}
    later = NOW + 24 * HOUR_MS
    first, second = [one for _ in range(2) for one in await sent(store, account, PARIS, at=later)]
    await lost(store, first, second, at=later + MINUTE_MS)
    await store.apply_receipts([dated("first", PARIS, at=later + 2 * MINUTE_MS, submitted_at=later)])
    await answered(store, second, "second", at=later + 3 * MINUTE_MS)
    assert [await state_of(store, account, one) for one in (first, second)] == [S.DELIVERED, S.WAITING]


@pytest.mark.parametrize("hours", [70, 80, 160])
async def test_an_undated_receipt_is_believed_for_as_long_as_its_operator_is_waited_for(
    store: Store, hours: int
) -> None:
    await store.register_links([LinkRecord(name="alpha", operator="alpha", wait_ms=168 * HOUR_MS)])
    account = await account_in(store)
    (one,) = await sent(store, account, PARIS, at=NOW)
    await lost(store, one, at=NOW + MINUTE_MS)
    said = dated("A", PARIS, at=NOW + hours * HOUR_MS, submitted_at=None)
    assert (await store.apply_receipts([said])).verdicts == {"moved": 1}
