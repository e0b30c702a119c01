"""Accounts, administrators, money and STOP lists: the event loop's side."""

import builtins
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal

from esito.domain.account import Account, AccountState
from esito.domain.credentials import Administrator, ApiKey
from esito.domain.pricing import to_micros
from esito.domain.timing import RealClock
from esito.store.engine import Engine
from esito.store.interface.account_store import AuditEntry, MonthSpending, MovedCredit, NewSubaccount, Stop, Subaccount
from esito.store.sql_connection import Act, Result
from esito.store.sql_store.store_part import StorePart
from esito.store.transactions import accounts, administrators, auditing, ledger

KEYS_KEPT = 1_000
"""Accounts by key that are remembered while nothing is committed."""


class AccountPart(StorePart):
    """The accounts' part of the store."""

    def __init__(self, engine: Engine, *, actor: str) -> None:
        """`actor` is who administers, as the audit log names it."""
        super().__init__(engine)
        self._actor = actor
        # Good until anybody, another process too, commits anything.
        self._accounts: dict[bytes, Account] = {}

    async def _administer(self, act: Act[Result], did: str, subject: str, details: str) -> Result:
        """Perform an act, and note in the audit log in the same transaction what was `did`."""
        noted = auditing.noted(act, clock=RealClock(), actor=self._actor, did=did, subject=subject, details=details)
        return await self._act(noted)

    async def create_account(self, name: str, *, credit: Decimal, key_digest: bytes, at: int) -> Account:
        """Keep a new account with its first key. Raises NameTaken."""
        micros = to_micros(credit)
        return await self._administer(
            lambda open_: accounts.create_account(open_, name, micros, key_digest, at),
            "account created",
            name,
            f"{credit:+f}",
        )

    async def add_key(
        self, account: str, *, key_digest: bytes, label: str, at: int, networks: Sequence[str] = ()
    ) -> ApiKey:
        """Keep another key of an account. Raises NoSuchAccount."""
        return await self._administer(
            lambda open_: accounts.add_key(open_, account, key_digest, label, at, networks=tuple(networks)),
            "key made",
            account,
            label,
        )

    async def disable_key(self, account: str, key_id: int) -> None:
        """Let one key open nothing any more. Raises NoSuchAccount."""
        await self._administer(
            lambda open_: accounts.disable_key(open_, account, key_id), "key disabled", account, str(key_id)
        )

    async def set_account_state(self, account: str, state: AccountState) -> Account:
        """Open, disable or block an account. Raises NoSuchAccount."""
        return await self._administer(
            lambda open_: accounts.set_state(open_, account, state), "account set", account, state.value
        )

    async def change_profile(self, account: str, changes: Mapping[str, object], *, at: int | None = None) -> Account:
        """Set some settings of an account. Raises NoSuchAccount."""
        return await self._administer(
            lambda open_: accounts.change_profile(open_, account, changes, RealClock().now() if at is None else at),
            "profile changed",
            account,
            ", ".join(changes),  # not what they are set to: a secret may be among them
        )

    async def accounts(self) -> list[tuple[Account, list[ApiKey]]]:
        """Return every account with its keys, by name."""
        return await self._ask(accounts.read_all)

    async def account_by_key(self, key_digest: bytes) -> Account | None:
        """Return whose key this is; None for an unknown or disabled key."""
        if self._engine.stale() or len(self._accounts) > KEYS_KEPT:
            self._accounts = {}
        elif key_digest in self._accounts:
            return self._accounts[key_digest]
        rows = await self._engine.rows(accounts.account_by_key(key_digest))
        if not rows:
            return None
        account, parent = accounts.read_opened(rows[0])
        if parent is not None:
            account = account.below(await self._ask(lambda read: accounts.account_above(read, parent)))
        self._accounts[key_digest] = account
        return account


class AdministratorPart(StorePart):
    """What is behind `Store.administrators`."""

    async def create(
        self, name: str, *, key_digest: bytes, networks: Sequence[str], actor: str, at: int
    ) -> Administrator:
        """Keep an administrator's key. Raises NameTaken."""
        return await self._act(
            lambda open_: administrators.create(open_, name, key_digest, networks, actor=actor, at=at)
        )

    async def all(self) -> list[Administrator]:
        """Return every administrator, by name."""
        return await self._ask(administrators.read_all)

    async def by_key(self, key_digest: bytes) -> Administrator | None:
        """Return whose key this is; None for an unknown or disabled one."""
        rows = await self._engine.rows(administrators.by_key(key_digest))
        return administrators.read_one(rows[0]) if rows else None

    async def set_disabled(self, name: str, *, disabled: bool, actor: str, at: int) -> Administrator:
        """Let a key open nothing any more, or again. Raises NoSuchAdministrator."""
        return await self._act(
            lambda open_: administrators.set_disabled(open_, name, disabled=disabled, actor=actor, at=at)
        )

    async def replace_key(self, name: str, *, key_digest: bytes, actor: str, at: int) -> Administrator:
        """Give an administrator another key; the one before opens nothing any more. Raises NoSuchAdministrator."""
        return await self._act(lambda open_: administrators.replace_key(open_, name, key_digest, actor=actor, at=at))


class LedgerPart(StorePart):
    """What is behind `Store.ledger`."""

    async def create_subaccount(self, parent: int, new: NewSubaccount, *, actor: str, at: int) -> None:
        """Make a sub-account with its key and give it credit."""
        await self._act(lambda open_: ledger.create_subaccount(open_, parent, new, actor, at))

    async def subaccounts(self, parent: int, *, page: int, size: int) -> tuple[int, list[Subaccount]]:
        """Return how many there are, and a page of them."""
        return await self._ask_long(parent, lambda read: ledger.read_subaccounts(read, parent, page, size))

    async def move_credit(self, parent: int, token: str, amount: int, *, actor: str, at: int) -> MovedCredit:
        """Move credit between parent and sub-account."""
        return await self._act(lambda open_: ledger.move_credit(open_, parent, token, amount, actor, at))

    async def remove_subaccount(self, parent: int, token: str, *, actor: str, at: int) -> None:
        """Disable a sub-account and give its credit back."""
        await self._act(lambda open_: ledger.remove_subaccount(open_, parent, token, actor, at))

    async def rotate_key(
        self, parent: int, token: str, digest_of: Callable[[int], bytes], *, actor: str, at: int
    ) -> int:
        """Give a sub-account a key in place of those it has."""
        return await self._act(lambda open_: ledger.rotate_key(open_, parent, token, digest_of, actor, at))

    async def grant(self, account: str, amount: int, *, actor: str, at: int) -> Decimal:
        """Add to an account's credit, or take off."""
        return await self._act(lambda open_: ledger.grant(open_, account, amount, actor, at))

    async def spent(self, account_id: int, months: Sequence[str]) -> list[MonthSpending]:
        """Return what was spent in each of the months."""
        return await self._ask(lambda read: ledger.read_spent(read, account_id, months))

    async def note(self, *, actor: str, act: str, subject: str, details: str, at: int) -> None:
        """Write a line into the audit log."""
        await self._act(
            lambda open_: auditing.note(open_, at=at, actor=actor, act=act, subject=subject, details=details)
        )

    async def audit(self, *, limit: int) -> list[AuditEntry]:
        """Return the newest lines of the audit log."""
        return await self._ask(lambda read: auditing.read_audit(read, limit))


class StopPart(StorePart):
    """What is behind `Store.stops`."""

    async def list(self, account_id: int, *, after: int = 0, limit: int = 500) -> builtins.list[Stop]:
        """Return a page of the account's STOP list, oldest first."""
        return await self._ask_long(account_id, lambda read: accounts.read_stops(read, account_id, after, limit))

    async def count(self, account_id: int) -> int:
        """Return how many numbers are on the account's STOP list."""
        return await self._ask_long(account_id, lambda read: accounts.count_stops(read, account_id))

    async def add(self, account_id: int, msisdn: int, *, at: int) -> int:
        """Put a number on the list; return its id."""
        return await self._act(lambda open_: accounts.add_stop(open_, account_id, msisdn, at)[0])

    async def delete(self, account_id: int, stop_id: int) -> None:
        """Take a number off the list. Raises StopNotFound."""
        await self._act(lambda open_: accounts.delete_stop(open_, account_id, stop_id))
