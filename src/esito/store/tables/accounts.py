"""Accounts and their keys."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import lru_cache
from typing import NamedTuple

import msgspec

from esito.domain.account import Account, AccountState, Profile
from esito.domain.credentials import ApiKey
from esito.domain.errors import NameTaken, NoSuchAccount
from esito.domain.pricing import from_micros, to_micros
from esito.domain.timing import RealClock
from esito.store.tables.area import Area
from esito.store.tables.auditing import note
from esito.store.tables.connection import Connection
from esito.store.tables.engine import Act, Engine, Result, perform
from esito.store.tables.spending import begin_ceiling

READ_BEFORE = 1_000
"""Profiles, and lists of networks, that are not read again from the same text: most accounts have the same."""


KEYS_KEPT = 1_000
"""Accounts by key that are remembered while nothing is committed."""


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


class AboveRow(NamedTuple):
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
    [row] = connection.rows("account_above", AboveRow, account=number)
    keys = msgspec.json.decode(row.networks_of_keys, type=list[tuple[str, ...]])
    # A key without networks may be used from everywhere, and so may the account.
    networks = sorted({network for key in keys for network in key}) if all(keys) else []
    account = read_account((*row[:5], msgspec.json.encode(networks).decode()))
    return account if row.parent is None else account.below(account_above(connection, row.parent))


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


class AccountKeeping(Area):
    """The accounts' part of the store."""

    def __init__(self, engine: Engine, *, actor: str) -> None:
        """`actor` is who administers, as the audit log names it."""
        super().__init__(engine)
        self._actor = actor
        # Good until anybody, another process too, commits anything.
        self._accounts: dict[bytes, Account] = {}

    async def _administer(self, act: Act[Result], did: str, subject: str, details: str) -> Result:
        """Perform an act, and note in the audit log in the same transaction what was `did`."""

        def noted(connection: Connection) -> Result:
            result = act(connection)
            at = RealClock().now()
            note(connection, at=at, actor=self._actor, act=did, subject=subject, details=details)
            return result

        return await self._engine.do(perform, noted, alone=True)

    async def create_account(self, name: str, *, credit: Decimal, key_digest: bytes, at: int) -> Account:
        """Keep a new account with its first key. Raises NameTaken."""
        micros = to_micros(credit)
        return await self._administer(
            lambda open_: create_account(open_, name, micros, key_digest, at),
            "account created",
            name,
            f"{credit:+f}",
        )

    async def add_key(
        self, account: str, *, key_digest: bytes, label: str, at: int, networks: Sequence[str] = ()
    ) -> ApiKey:
        """Keep another key of an account. Raises NoSuchAccount."""
        return await self._administer(
            lambda open_: add_key(open_, account, key_digest, label, at, networks=tuple(networks)),
            "key made",
            account,
            label,
        )

    async def disable_key(self, account: str, key_id: int) -> None:
        """Let one key open nothing any more. Raises NoSuchAccount."""
        await self._administer(lambda open_: disable_key(open_, account, key_id), "key disabled", account, str(key_id))

    async def set_account_state(self, account: str, state: AccountState) -> Account:
        """Open, disable or block an account. Raises NoSuchAccount."""
        return await self._administer(
            lambda open_: set_state(open_, account, state), "account set", account, state.value
        )

    async def change_profile(self, account: str, changes: Mapping[str, object], *, at: int | None = None) -> Account:
        """Set some settings of an account. Raises NoSuchAccount."""
        return await self._administer(
            lambda open_: change_profile(open_, account, changes, RealClock().now() if at is None else at),
            "profile changed",
            account,
            ", ".join(changes),  # not what they are set to: a secret may be among them
        )

    async def accounts(self) -> list[tuple[Account, list[ApiKey]]]:
        """Return every account with its keys, by name."""
        return await self._ask(read_all)

    async def account_by_key(self, key_digest: bytes) -> Account | None:
        """Return whose key this is; None for an unknown or disabled key."""
        if self._engine.stale() or len(self._accounts) > KEYS_KEPT:
            self._accounts = {}
        elif key_digest in self._accounts:
            return self._accounts[key_digest]
        rows = await self._engine.rows("account_by_key", OpenedRow, digest=key_digest)
        if not rows:
            return None
        [found] = rows
        account = read_account(found[:6], may_have_stops=bool(found.has_stops))
        parent = found.parent
        if parent is not None:
            account = account.below(await self._ask(lambda read: account_above(read, parent)))
        self._accounts[key_digest] = account
        return account
