"""Sub-accounts, credit, spending and the audit log."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any, cast

import msgspec

from esito.domain.account import Profile
from esito.domain.errors import (
    BalanceTooLow,
    EmailTaken,
    NoSuchAccount,
    SubaccountBalanceTooLow,
    SubaccountNotFound,
    SubaccountsNotAllowed,
)
from esito.domain.pricing import from_micros
from esito.store.ledger import AuditEntry, Credits, MonthSpent, NewSubaccount, Subaccount
from esito.store.tables.area import Area
from esito.store.tables.auditing import note
from esito.store.tables.connection import Connection


class Ledger(Area):
    """The handlers behind `Store.ledger`."""

    async def create_subaccount(self, parent: int, new: NewSubaccount, *, actor: str, at: int) -> None:
        """Make a sub-account with its key and give it credit."""
        await self._act(lambda open_: _create(open_, parent, new, actor, at))

    async def subaccounts(self, parent: int, *, page: int, size: int) -> tuple[int, list[Subaccount]]:
        """Return how many there are, and a page of them."""

        def read_page(read: Connection) -> tuple[int, list[Any]]:
            total = read.number("subaccount_total", parent)
            return total, read.rows("subaccounts", parent, size, min((page - 1) * size, total))

        total, rows = await self._ask_long(parent, read_page)
        return total, [
            Subaccount(
                id=number,
                email=email,
                kind=kind,
                token=token,
                created_at=created_at,
                credit=from_micros(credit),
                keys=keys,
            )
            for number, email, kind, token, created_at, credit, keys in rows
        ]

    async def move_credit(self, parent: int, token: str, amount: int, *, actor: str, at: int) -> Credits:
        """Move credit between parent and sub-account."""
        return cast("Credits", await self._act(lambda open_: _move(open_, parent, token, amount, actor, at)))

    async def remove_subaccount(self, parent: int, token: str, *, actor: str, at: int) -> None:
        """Disable a sub-account and give its credit back."""
        await self._act(lambda open_: _remove(open_, parent, token, actor, at))

    async def rotate_key(
        self, parent: int, token: str, digest_of: Callable[[int], bytes], *, actor: str, at: int
    ) -> int:
        """Give a sub-account a key in place of those it has."""
        return cast("int", await self._act(lambda open_: _rotate(open_, parent, token, digest_of, actor, at)))

    async def grant(self, account: str, amount: int, *, actor: str, at: int) -> Decimal:
        """Add to an account's credit, or take off."""
        return cast("Decimal", await self._act(lambda open_: _grant(open_, account, amount, actor, at)))

    async def spent(self, account_id: int, months: Sequence[str]) -> list[MonthSpent]:
        """Return what was spent in each of the months."""
        rows = await self._ask(lambda read: read.rows("spent", account_id, months[0], months[-1]))
        return [MonthSpent(month, from_micros(cost), segments) for month, cost, segments in rows]

    async def note(self, *, actor: str, act: str, subject: str, details: str, at: int) -> None:
        """Write a line into the audit log."""
        await self._act(lambda open_: note(open_, at=at, actor=actor, act=act, subject=subject, details=details))

    async def audit(self, *, limit: int) -> list[AuditEntry]:
        """Return the newest lines of the audit log."""
        rows = await self._ask(lambda read: read.rows("audit", limit))
        return [
            AuditEntry(at=at, actor=actor, act=act, subject=subject, details=details)
            for at, actor, act, subject, details in rows
        ]


def _create(connection: Connection, parent: int, new: NewSubaccount, actor: str, at: int) -> None:
    if connection.value("parent_of", parent) is not None:
        raise SubaccountsNotAllowed
    if connection.row("account_by_name", new.email) is not None:
        raise EmailTaken
    if connection.number("credit_of", parent) < new.credit:
        raise BalanceTooLow
    profile = Profile(firstname=new.firstname, lastname=new.lastname, email=new.email)
    kept = msgspec.json.encode(profile).decode()
    number = connection.number("insert_subaccount", new.email, at, kept, parent, new.kind, new.token)
    connection.run("insert_key", number, new.key_digest, "subaccount", at, "[]")
    _transfer(connection, parent, number, new.credit)
    note(connection, at=at, actor=actor, act="subaccount created", subject=new.email, details=_amount(new.credit))


def _find(connection: Connection, parent: int, token: str) -> tuple[int, str, int]:
    row = connection.row("subaccount_by_token", parent, token)
    if row is None:
        raise SubaccountNotFound
    return cast("tuple[int, str, int]", row)


def _move(connection: Connection, parent: int, token: str, amount: int, actor: str, at: int) -> Credits:  # noqa: PLR0917  one act's own words
    number, name, credit = _find(connection, parent, token)
    left = connection.number("credit_of", parent)
    if amount > left:
        raise BalanceTooLow
    if -amount > credit:
        raise SubaccountBalanceTooLow
    _transfer(connection, parent, number, amount)
    note(connection, at=at, actor=actor, act="credit moved", subject=name, details=_amount(amount))
    return Credits(from_micros(left - amount), from_micros(credit + amount))


def _remove(connection: Connection, parent: int, token: str, actor: str, at: int) -> None:
    number, name, _ = _find(connection, parent, token)
    _remove_tree(connection, parent, number, name, actor, at)


def _remove_tree(connection: Connection, parent: int, number: int, name: str, actor: str, at: int) -> None:  # noqa: PLR0917  one act's own words
    """Remove a sub-account with all that is below it, lowest first: what each has left goes up."""
    for below, its_name, _ in connection.rows("subaccounts_of", number):
        _remove_tree(connection, number, below, its_name, actor, at)
    credit = connection.number("credit_of", number)
    _transfer(connection, parent, number, -credit)
    connection.run("remove_subaccount", number)
    connection.run("disable_keys_of", number)
    note(connection, at=at, actor=actor, act="subaccount removed", subject=name, details=_amount(-credit))


def _rotate(  # noqa: PLR0917  one act's own words
    connection: Connection, parent: int, token: str, digest_of: Callable[[int], bytes], actor: str, at: int
) -> int:
    number, name, _ = _find(connection, parent, token)
    keys = connection.number("subaccount_keys", number)
    connection.run("disable_keys_of", number)
    connection.number("insert_key", number, digest_of(keys), "subaccount", at, "[]")
    note(connection, at=at, actor=actor, act="subaccount key rotated", subject=name, details="")
    return keys


def _transfer(connection: Connection, parent: int, subaccount: int, amount: int) -> None:
    """Move an amount; what was granted moves with it, so that granted less spent stays what is left."""
    connection.run("move_credit", parent, -amount)
    connection.run("move_credit", subaccount, amount)


def _grant(connection: Connection, name: str, amount: int, actor: str, at: int) -> Decimal:
    row = cast("Any", connection.row("account_by_name", name))
    if row is None:
        raise NoSuchAccount(f"there is no account named {name!r}")
    left = int(row[3]) + amount
    if left < 0:
        raise BalanceTooLow(f"account {name} has {from_micros(int(row[3]))} left")
    connection.run("move_credit", row[0], amount)
    note(connection, at=at, actor=actor, act="credit granted", subject=name, details=_amount(amount))
    return from_micros(left)


def _amount(micros: int) -> str:
    return f"{from_micros(micros):+f}"
