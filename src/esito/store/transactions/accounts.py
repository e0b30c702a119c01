"""Accounts, with their keys and STOP lists."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

import msgspec

from esito.domain.account import Account, AccountState, Profile
from esito.domain.credentials import ApiKey
from esito.domain.errors import NameTaken, NoSuchAccount, StopNotFound
from esito.domain.pricing import from_micros
from esito.store.interface.account_store import Stop
from esito.store.sql_connection import Connection, Read
from esito.store.transactions.spending import begin_ceiling

READ_BEFORE = 1_000
"""Profiles, and lists of networks, that are not read again from the same text: most accounts have the same."""


class AccountRow(NamedTuple):
    """An account as it is kept, with the networks of a key."""

    id: int
    name: str
    state: str
    credit: int
    profile: str
    networks: str


class OpenedRow(NamedTuple):
    """The account that a key opens."""

    id: int
    name: str
    state: str
    credit: int
    profile: str
    networks: str
    has_stops: int
    parent: int | None


class ParentRow(NamedTuple):
    """An account that others are below."""

    id: int
    name: str
    state: str
    credit: int
    profile: str
    networks_of_keys: str
    """JSON arrays, as many as it has keys."""
    parent: int | None


class KeyRow(NamedTuple):
    """A key as it is kept."""

    id: int
    account: int
    label: str
    created_at: int
    disabled: int
    networks: str


def read_account(row: tuple[int, str, str, int, str, str], *, may_have_stops: bool = True) -> Account:
    """Make an account of what an AccountRow holds."""
    number, name, state, credit, profile, networks = row
    return Account(
        id=number,
        name=name,
        state=AccountState(state),
        credit=from_micros(credit),
        profile=_profile(profile),
        networks=_networks(networks),
        may_have_stops=may_have_stops,
    )


@lru_cache(READ_BEFORE)
def _profile(text: str) -> Profile:
    return msgspec.json.decode(text, type=Profile)


@lru_cache(READ_BEFORE)
def _networks(text: str) -> tuple[str, ...]:
    return msgspec.json.decode(text, type=tuple[str, ...])


def read_key(row: KeyRow) -> ApiKey:
    """Make a key of its row."""
    return ApiKey(
        id=row.id,
        account_id=row.account,
        label=row.label,
        created_at=row.created_at,
        disabled=bool(row.disabled),
        networks=_networks(row.networks),
    )


def read_all(connection: Connection) -> list[tuple[Account, list[ApiKey]]]:
    """Return every account with its keys, by name."""
    return [
        (read_account(row), [read_key(key) for key in connection.rows("keys_of", KeyRow, account=row.id)])
        for row in connection.rows("all_accounts", AccountRow)
    ]


def account_above(connection: Connection, number: int) -> Account:
    """Return the parent of a sub-account as it may act now; `networks` are those of any of its keys."""
    [row] = connection.rows("account_above", ParentRow, account=number)
    keys = msgspec.json.decode(row.networks_of_keys, type=list[tuple[str, ...]])
    # A key without networks may be used from everywhere, and so may the account.
    networks = sorted({network for key in keys for network in key}) if all(keys) else []
    account = read_account((*row[:5], msgspec.json.encode(networks).decode()))
    return account if row.parent is None else account.below(account_above(connection, row.parent))


def account_on_top(read: Connection, number: int) -> int:
    """Return the number of the account above this one, or its own."""
    return read.number("top_of", account=number) or number


def row_named(connection: Connection, name: str) -> AccountRow:
    """Return the row of an account. Raises NoSuchAccount."""
    row = connection.row("account_by_name", AccountRow, name=name)
    if row is None:
        raise NoSuchAccount(f"there is no account named {name!r}")
    return row


def account_named(connection: Connection, name: str) -> Account:
    """Return an account. Raises NoSuchAccount."""
    return read_account(row_named(connection, name))


def create_account(connection: Connection, name: str, credit: int, digest: bytes, at: int) -> Account:
    """Keep a new account with its first key. Raises NameTaken."""
    if connection.row("account_by_name", AccountRow, name=name) is not None:
        raise NameTaken(f"there is an account named {name!r} already")
    connection.run("insert_account", name=name, state=AccountState.ACTIVE.value, credit=credit, created_at=at)
    account = account_named(connection, name)
    connection.run("insert_key", account=account.id, digest=digest, label="first", created_at=at, networks="[]")
    return account


def add_key(
    connection: Connection, name: str, digest: bytes, label: str, at: int, *, networks: Sequence[str]
) -> ApiKey:
    """Keep another key. Raises NoSuchAccount."""
    account = account_named(connection, name)
    kept = msgspec.json.encode(networks).decode()
    number = connection.number(
        "insert_key", account=account.id, digest=digest, label=label, created_at=at, networks=kept
    )
    return read_key(KeyRow(number, account.id, label, at, 0, kept))


def disable_key(connection: Connection, name: str, key_id: int) -> None:
    """Disable one key. Raises NoSuchAccount."""
    account = account_named(connection, name)
    if not connection.run("disable_key", account=account.id, key=key_id):
        raise NoSuchAccount(f"account {name!r} has no key {key_id}")


def set_state(connection: Connection, name: str, state: AccountState) -> Account:
    """Open, disable or block an account. Raises NoSuchAccount."""
    account = account_named(connection, name)
    connection.run("set_account_state", account=account.id, state=state.value)
    return account_named(connection, name)


def change_profile(connection: Connection, name: str, changes: Mapping[str, object], at: int) -> Account:
    """Set some settings of an account. Raises NoSuchAccount."""
    account = account_named(connection, name)
    profile = replace(account.profile, **changes)  # type: ignore[arg-type]  # the caller names fields of Profile
    connection.run("set_profile", account=account.id, profile=msgspec.json.encode(profile).decode())
    if profile.segments_per_day or profile.cost_per_day:
        begin_ceiling(connection, account.id, at)
    return account_named(connection, name)


def account_by_key(digest: bytes) -> Read[OpenedRow]:
    """Ask which account a key opens."""
    return Read("account_by_key", OpenedRow, digest=digest)


def read_opened(row: OpenedRow) -> tuple[Account, int | None]:
    """Return the account that a key opens, and the number of its parent."""
    return read_account(row[:6], may_have_stops=bool(row.has_stops)), row.parent


# -- STOP lists --------------------------------------------------------------------------------


def read_stops(read: Connection, account_id: int, after: int, limit: int) -> list[Stop]:
    """Return a page of an account's STOP list, oldest first."""
    rows = read.rows("stops_of", tuple[int, str, int], account=account_id, after=after, limit=limit)
    return [Stop(id=number, msisdn=msisdn, created_at=at) for number, msisdn, at in rows]


def count_stops(read: Connection, account_id: int) -> int:
    """Return how many numbers are on an account's STOP list."""
    return read.number("stop_count", account=account_id)


def add_stop(connection: Connection, account_id: int, msisdn: int, at: int) -> tuple[int, bool]:
    """Put a number on the list; return its id, and whether it is new there."""
    new = connection.run("add_stop", account=account_id, msisdn=msisdn, created_at=at) > 0
    return connection.number("stop_id", account=account_id, msisdn=msisdn), new


def delete_stop(connection: Connection, account_id: int, stop_id: int) -> None:
    """Take a number off the list. Raises StopNotFound."""
    if not connection.run("delete_stop", account=account_id, stop=stop_id):
        raise StopNotFound
