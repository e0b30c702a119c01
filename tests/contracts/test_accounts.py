import asyncio
import threading
from decimal import Decimal

import pytest

from esito.domain.account import Account, AccountState
from esito.domain.errors import NameTaken, NoSuchAccount, SubaccountNotFound, SubaccountsNotAllowed
from esito.store.engine import Engine
from esito.store.interface.account_store import NewSubaccount
from esito.store.interface.store import Store
from esito.store.sql_store.shares import MOST_ROWS, Shares
from tests.kit import looking
from tests.kit.builders import NOW, account_in, links_in, message
from tests.kit.patience import A_MOMENT, PATIENCE

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


NEW = NewSubaccount(
    email="branch@example.org",
    kind="advanced",
    token="t" * 32,
    key_digest=b"branch",
    firstname="",
    lastname="",
    credit=0,
)


async def branch(store: Store, *, key: bytes = b"branch") -> Account:
    found = await store.account_by_key(key)
    assert found is not None
    return found


async def test_a_sub_account_may_nothing_that_its_parent_may_not_now(store: Store) -> None:
    parent = await account_in(store)
    await store.ledger.create_subaccount(parent.id, NEW, actor="", at=NOW)
    assert (await branch(store)).parent == parent
    await store.change_profile("acme", {"senders": ("SHOP",), "low_cost_allowed": False})
    await store.change_profile(NEW.email, {"senders": ("SHOP", "BANK"), "weight": 5})
    child = await branch(store)
    assert (child.profile.senders, child.profile.low_cost_allowed, child.profile.weight) == (("SHOP",), False, 1)
    await store.set_account_state("acme", AccountState.BLOCKED)
    assert (await branch(store)).state is AccountState.BLOCKED


async def test_long_questions_of_a_sub_account_wait_for_those_of_its_parent(store: Store) -> None:
    parent = await account_in(store)
    other = await account_in(store, "other")
    await store.ledger.create_subaccount(parent.id, NEW, actor="", at=NOW)
    child = await branch(store)
    assert (child.top, parent.top) == (parent.id, parent.id)
    engine: Engine = store.engine  # type: ignore[attr-defined]  # both stores have one
    may_end, begun = threading.Event(), threading.Semaphore(0)

    def long_question(_: object) -> bool:
        begun.release()
        return may_end.wait(PATIENCE)

    asked = asyncio.create_task(engine.ask_long(parent.id, long_question))
    assert await asyncio.to_thread(begun.acquire, timeout=PATIENCE)
    waits = asyncio.create_task(engine.ask_long(child.id, lambda _: may_end.is_set()))
    assert await engine.ask_long(other.id, lambda _: may_end.is_set()) is False
    may_end.set()
    assert await waits is True
    assert await asked is True


async def test_sends_of_a_sub_account_wait_for_those_of_its_parent(store: Store) -> None:
    parent = await account_in(store)
    links = await links_in(store)
    await store.ledger.create_subaccount(parent.id, NEW, actor="", at=NOW)
    child = await branch(store)
    shares: Shares = store._shares  # type: ignore[attr-defined]  # both stores have them
    turn = shares.take(parent.id, MOST_ROWS)
    sending = asyncio.create_task(store.accept(message(child, link=links["alpha"], cost=0)))
    await asyncio.sleep(A_MOMENT)
    assert not sending.done()
    shares.give_back(parent.id, MOST_ROWS, turn)
    assert await sending


async def test_the_networks_of_a_parent_are_those_of_any_of_its_keys(store: Store) -> None:
    parent = await account_in(store)
    await store.ledger.create_subaccount(parent.id, NEW, actor="", at=NOW)
    for number, network in enumerate(("192.0.2.0/24", "198.51.100.0/24")):
        await store.add_key("acme", key_digest=bytes([number]), label="bound", at=NOW, networks=[network])
    assert [one.networks for one in (await branch(store)).lineage] == [(), ()]
    ((_, keys), _) = await store.accounts()
    await store.disable_key("acme", next(one.id for one in keys if not one.networks))
    assert [one.networks for one in (await branch(store)).lineage] == [(), ("192.0.2.0/24", "198.51.100.0/24")]


async def test_a_rotated_key_opens_in_place_of_those_before(store: Store) -> None:
    parent = await account_in(store)
    await store.ledger.create_subaccount(parent.id, NEW, actor="", at=NOW)
    for before in (1, 2):
        count = await store.ledger.rotate_key(parent.id, NEW.token, lambda keys: b"key %d" % keys, actor="", at=NOW)
        assert count == before
        assert await store.account_by_key(b"branch") is None
        assert (await branch(store, key=b"key %d" % before)).name == NEW.email
    assert await store.account_by_key(b"key 1") is None
    (_, (one,)) = await store.ledger.subaccounts(parent.id, page=1, size=10)
    assert one.keys == 3
    with pytest.raises(SubaccountNotFound):
        await store.ledger.rotate_key(parent.id, "x", lambda _: b"never", actor="", at=NOW)


async def test_none_is_made_below_a_sub_account_and_removal_takes_along_what_is(store: Store) -> None:
    parent = await account_in(store)
    await store.ledger.create_subaccount(parent.id, NEW, actor="", at=NOW)
    child = await branch(store)
    with pytest.raises(SubaccountsNotAllowed):
        await store.ledger.create_subaccount(child.id, NEW, actor="", at=NOW)
    await store.create_account("lowest", credit=Decimal(5), key_digest=b"lowest", at=NOW)
    sql = f"UPDATE account SET token = 'low', kind = 'simple', email = 'low', parent = {child.id} WHERE name = 'lowest'"
    await looking.change(store, sql)
    assert [one.name for one in (await branch(store, key=b"lowest")).lineage] == ["lowest", NEW.email, "acme"]
    await store.ledger.remove_subaccount(parent.id, NEW.token, actor="", at=NOW)
    assert [await store.account_by_key(key) for key in (b"branch", b"lowest")] == [None, None]
    found = await store.account_by_key(b"acme")
    assert found is not None
    assert found.credit == parent.credit + 5
