"""An operator gives an id again while what had it before is not settled: number and date tell them apart."""

import pytest

from esito.domain.account import Account
from esito.domain.states import MessageState as S
from esito.domain.timing import HOUR_MS, MINUTE_MS
from esito.store.base import Store
from tests.contracts.submissions import PARIS, ROME, answered, dated, lost, sent, state_of
from tests.kit.builders import NOW, account_in, links_in, receipt

pytestmark = pytest.mark.anyio


@pytest.fixture
async def account(store: Store) -> Account:
    await links_in(store)
    return await account_in(store)


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("then", ["response", "loss"])
async def test_a_receipt_dated_like_one_whose_response_is_owed_is_not_about_a_newer_one_that_has_its_id(
    store: Store, account: Account, then: str, *, known: bool
) -> None:
    """Ids come round while a response is owed: only the submit date tells."""
    if known:  # the usual form of ids: then most receipts take a shorter way
        for place in range(20):
            (each,) = await sent(store, account, ROME, at=NOW - HOUR_MS)
            await answered(store, each, f"9{place}", at=NOW - HOUR_MS + 1)
            await store.apply_receipts(
                [receipt(f"9{place}", "DELIVRD", at=NOW - HOUR_MS + 2, addresses=(str(ROME), "ESITO"))]
            )
    (old,) = await sent(store, account, PARIS, at=NOW)
    (new,) = await sent(store, account, PARIS, at=NOW + 12 * MINUTE_MS)
    await answered(store, new, "3", at=NOW + 12 * MINUTE_MS + 10)
    said = dated("3", PARIS, at=NOW + 12 * MINUTE_MS + 20, submitted_at=NOW, word="UNDELIV")
    assert (await store.apply_receipts([said])).verdicts == {"parked": 1}
    if then == "response":
        await answered(store, old, "3", at=NOW + 12 * MINUTE_MS + 30)
    else:
        await lost(store, old, at=NOW + 12 * MINUTE_MS + 30)
    assert [await state_of(store, account, one) for one in (old, new)] == [S.UNDELIVERABLE, S.WAITING]
