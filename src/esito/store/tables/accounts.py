"""Accounts and their keys."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import msgspec

from esito.domain.account import Account, AccountState, Profile
from esito.domain.credentials import ApiKey
from esito.domain.errors import EsitoError, NameTaken, NoSuchAccount
from esito.domain.pricing import from_micros
from esito.store.tables.connection import Connection, SqlValue
from esito.store.tables.spending import begin_ceiling

READ_BEFORE = 1_000
"""Profiles, and lists of networks, that are not read again from the same text: most accounts have the same."""


def read_account(row: Sequence[SqlValue], *, may_have_stops: bool = True) -> Account:
    """Make an account of its row: id, name, state, credit, profile, networks of the key; what comes behind is left."""
    number, name, state, credit, profile, networks, *_ = row
    return Account(
        id=int(str(number)),
        name=str(name),
        state=AccountState(str(state)),
        credit=from_micros(int(str(credit))),
        profile=_profile(str(profile)),
        networks=_networks(str(networks)),
        may_have_stops=may_have_stops,
    )


@lru_cache(READ_BEFORE)
def _profile(text: str) -> Profile:
    return msgspec.json.decode(text, type=Profile)


@lru_cache(READ_BEFORE)
def _networks(text: str) -> tuple[str, ...]:
    return msgspec.json.decode(text, type=tuple[str, ...])


def read_key(row: Sequence[SqlValue]) -> ApiKey:
    """Make a key of its row: id, account, label, created_at, disabled, networks."""
    number, account, label, created_at, disabled, networks = row
    return ApiKey(
        id=int(str(number)),
        account_id=int(str(account)),
        label=str(label),
        created_at=int(str(created_at)),
        disabled=bool(disabled),
        networks=_networks(str(networks)),
    )


def read_all(connection: Connection) -> list[tuple[Account, list[ApiKey]]]:
    """Return every account with its keys, by name."""
    found = [read_account(row) for row in connection.rows("all_accounts")]
    return [(one, [read_key(row) for row in connection.rows("keys_of", one.id)]) for one in found]


def account_above(connection: Connection, number: int) -> Account:
    """Return the parent of a sub-account as it may act now; `networks` are those of any of its keys."""
    row: Any = connection.row("account_above", number)
    *told, of_keys, parent = row
    keys = msgspec.json.decode(of_keys, type=list[tuple[str, ...]])
    # A key without networks may be used from everywhere, and so may the account.
    networks = sorted({network for key in keys for network in key}) if all(keys) else []
    account = read_account((*told, msgspec.json.encode(networks).decode()))
    return account if parent is None else account.below(account_above(connection, parent))


def account_named(connection: Connection, name: str) -> Account:
    """Return an account. Raises NoSuchAccount."""
    row = connection.row("account_by_name", name)
    if row is None:
        raise NoSuchAccount(f"there is no account named {name!r}")
    return read_account(row)


Act = Callable[[Connection], Any]


def perform(connection: Connection, acts: Sequence[Act]) -> list[Any]:
    """Perform administrative acts one by one; an act that is refused has changed nothing."""
    results = []
    for act in acts:
        try:
            results.append(act(connection))
        except EsitoError as refusal:
            results.append(refusal)
    return results


def create_account(connection: Connection, name: str, credit: int, digest: bytes, at: int) -> Account:
    """Keep a new account with its first key. Raises NameTaken."""
    if connection.row("account_by_name", name) is not None:
        raise NameTaken(f"there is an account named {name!r} already")
    connection.run("insert_account", name, AccountState.ACTIVE.value, credit, at)
    account = account_named(connection, name)
    connection.run("insert_key", account.id, digest, "first", at, "[]")
    return account


def add_key(
    connection: Connection, name: str, digest: bytes, label: str, at: int, *, networks: Sequence[str]
) -> ApiKey:
    """Keep another key. Raises NoSuchAccount."""
    account = account_named(connection, name)
    kept = msgspec.json.encode(networks).decode()
    number = connection.number("insert_key", account.id, digest, label, at, kept)
    return read_key((number, account.id, label, at, 0, kept))


def disable_key(connection: Connection, name: str, key_id: int) -> None:
    """Disable one key. Raises NoSuchAccount."""
    account = account_named(connection, name)
    if not connection.run("disable_key", account.id, key_id):
        raise NoSuchAccount(f"account {name!r} has no key {key_id}")


def set_state(connection: Connection, name: str, state: AccountState) -> Account:
    """Open, disable or block an account. Raises NoSuchAccount."""
    account = account_named(connection, name)
    connection.run("set_account_state", account.id, state.value)
    return account_named(connection, name)


def change_profile(connection: Connection, name: str, changes: Mapping[str, object], at: int) -> Account:
    """Set some settings of an account. Raises NoSuchAccount."""
    account = account_named(connection, name)
    profile = replace(account.profile, **changes)  # type: ignore[arg-type]  # the caller names fields of Profile
    connection.run("set_profile", account.id, msgspec.json.encode(profile).decode())
    if profile.segments_per_day or profile.cost_per_day:
        begin_ceiling(connection, account.id, at)
    return account_named(connection, name)
