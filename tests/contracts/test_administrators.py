"""Administrators and their keys, on every store."""

import pytest

from esito.domain.credentials import Administrator
from esito.domain.errors import NameTaken, NoSuchAdministrator
from esito.store.interface.store import Store
from tests.kit.builders import NOW, account_in

pytestmark = pytest.mark.anyio


async def made(store: Store, name: str = "ada", key: bytes = b"key", *networks: str) -> Administrator:
    return await store.administrators.create(name, key_digest=key, networks=networks, actor="cli:tests", at=NOW)


async def lines(store: Store) -> list[tuple[str, str, str, str]]:
    return [(one.actor, one.act, one.subject, one.details) for one in await store.ledger.audit(limit=9)]


async def test_a_key_opens_what_its_administrator_may_until_it_is_disabled(store: Store) -> None:
    ada = await made(store, "ada", b"key", "192.0.2.0/24")
    assert (ada.name, ada.networks, ada.disabled, ada.created_at) == ("ada", ("192.0.2.0/24",), False, NOW)
    assert await store.administrators.by_key(b"key") == ada
    assert await store.administrators.by_key(b"another") is None
    await store.administrators.set_disabled("ada", disabled=True, actor="cli:tests", at=NOW)
    assert await store.administrators.by_key(b"key") is None
    await store.administrators.set_disabled("ada", disabled=False, actor="cli:tests", at=NOW)
    assert await store.administrators.by_key(b"key") == ada


async def test_a_replaced_key_opens_nothing_any_more(store: Store) -> None:
    ada = await made(store)
    await store.administrators.replace_key("ada", key_digest=b"new", actor="cli:tests", at=NOW)
    assert await store.administrators.by_key(b"key") is None
    assert await store.administrators.by_key(b"new") == ada


async def test_a_name_is_one_administrator(store: Store) -> None:
    await made(store)
    with pytest.raises(NameTaken):
        await made(store, key=b"another")
    assert [one.name for one in await store.administrators.all()] == ["ada"]


async def test_who_is_not_there_cannot_be_changed(store: Store) -> None:
    for act in (
        store.administrators.set_disabled("bob", disabled=True, actor="cli:tests", at=NOW),
        store.administrators.replace_key("bob", key_digest=b"k", actor="cli:tests", at=NOW),
    ):
        with pytest.raises(NoSuchAdministrator):
            await act


async def test_every_change_is_in_the_audit_log_and_no_other(store: Store) -> None:
    await made(store, "ada", b"key", "192.0.2.0/24")
    for disabled in (True, True, False):
        await store.administrators.set_disabled("ada", disabled=disabled, actor="cli:eve", at=NOW)
    await store.administrators.replace_key("ada", key_digest=b"new", actor="cli:eve", at=NOW)
    assert (await lines(store))[::-1] == [
        ("cli:tests", "administrator created", "ada", "from 192.0.2.0/24"),
        ("cli:eve", "administrator disabled", "ada", ""),
        ("cli:eve", "administrator enabled", "ada", ""),
        ("cli:eve", "administrator's key replaced", "ada", ""),
    ]


async def test_an_accounts_key_is_no_administrators_and_the_other_way_round(store: Store) -> None:
    await account_in(store)
    await made(store)
    assert await store.administrators.by_key(b"acme") is None
    assert await store.account_by_key(b"key") is None
