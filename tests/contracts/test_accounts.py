from decimal import Decimal

import pytest

from esito.domain.account import AccountState
from esito.domain.errors import NameTaken, NoSuchAccount
from esito.store.base import Store
from tests.kit.builders import NOW, account_in

pytestmark = pytest.mark.anyio


async def test_a_key_opens_its_account_and_no_other(store: Store) -> None:
    first = await account_in(store, "first")
    second = await account_in(store, "second")
    assert await store.account_by_key(b"first") == first
    assert await store.account_by_key(b"second") == second
    assert await store.account_by_key(b"third") is None


async def test_a_name_is_taken_once(store: Store) -> None:
    await account_in(store, "acme")
    with pytest.raises(NameTaken):
        await store.create_account("acme", credit=Decimal(1), key_digest=b"other", at=NOW)
    assert await store.account_by_key(b"other") is None


async def test_a_disabled_key_opens_nothing_and_its_sister_still_does(store: Store) -> None:
    account = await account_in(store)
    key = await store.add_key("acme", key_digest=b"sister", label="ci", at=NOW)
    await store.disable_key("acme", key.id)
    assert await store.account_by_key(b"sister") is None
    assert await store.account_by_key(b"acme") == account


async def test_an_account_that_is_not_there_is_named(store: Store) -> None:
    with pytest.raises(NoSuchAccount, match="nobody"):
        await store.add_key("nobody", key_digest=b"x", label="", at=NOW)
    with pytest.raises(NoSuchAccount):
        await store.set_account_state("nobody", AccountState.DISABLED)
    await account_in(store)
    with pytest.raises(NoSuchAccount):
        await store.disable_key("acme", 99)


async def test_a_change_of_state_shows_at_once(store: Store) -> None:
    await account_in(store)
    await store.set_account_state("acme", AccountState.DISABLED)
    found = await store.account_by_key(b"acme")
    assert found is not None
    assert found.state is AccountState.DISABLED
    assert [account.state for account, _ in await store.accounts()] == [AccountState.DISABLED]
