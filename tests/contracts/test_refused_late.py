"""A response that was thought lost comes after all, and refuses: then fewer segments can have the ids of receipts."""

import pytest

from esito.domain.states import MessageState as S
from esito.store.interface.store import Store
from tests.contracts.submissions import PARIS, answered, dated, lost, state_of
from tests.kit.builders import NOW, account_in, links_in, message, refused

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("in_receipt", ["15", "f"])
async def test_what_waited_for_it_is_about_the_one_that_has_the_id(store: Store, in_receipt: str) -> None:
    numbers = await links_in(store, "alpha", "beta", operator="op")
    account = await account_in(store)
    for link in ("alpha", "beta"):
        await store.accept(message(account, [PARIS], link=numbers[link]))
    (one,) = await store.claim("alpha", limit=10, at=NOW)
    first = dated(in_receipt, PARIS, at=NOW + 1, submitted_at=NOW, word="UNDELIV")
    await store.apply_receipts([first])
    (other,) = await store.claim("beta", limit=10, at=NOW + 2)
    await answered(store, one, "f", at=NOW + 3)
    await store.apply_receipts([dated(in_receipt, PARIS, at=NOW + 4, submitted_at=None)])
    await lost(store, other, at=NOW + 5)
    await store.record_answers("beta", [refused(other, at=NOW + 6)])
    assert [await state_of(store, account, each) for each in (one, other)] == [S.DELIVERED, S.REJECTED]
