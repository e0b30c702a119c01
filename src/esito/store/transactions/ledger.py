"""Sub-accounts, credit and spending."""

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import NamedTuple

import msgspec

from esito.domain.account import Profile
from esito.domain.errors import (
    BalanceTooLow,
    EmailTaken,
    SubaccountBalanceTooLow,
    SubaccountNotFound,
    SubaccountsNotAllowed,
)
from esito.domain.pricing import from_micros
from esito.store.interface.account_store import MonthSpending, MovedCredit, NewSubaccount, Subaccount
from esito.store.sql_connection import Connection
from esito.store.transactions.accounts import AccountRow, row_named
from esito.store.transactions.auditing import note


class _SubaccountRow(NamedTuple):
    id: int
    email: str
    kind: str
    token: str
    created_at: int
    credit: int
    keys: int


def _subaccount(row: _SubaccountRow) -> Subaccount:
    return Subaccount(
        id=row.id,
        email=row.email,
        kind=row.kind,
        token=row.token,
        created_at=row.created_at,
        credit=from_micros(row.credit),
        keys=row.keys,
    )


def create_subaccount(connection: Connection, parent: int, new: NewSubaccount, actor: str, at: int) -> None:
    """Make a sub-account with its key and give it credit of its parent. Raises what `LedgerStore` says."""
    if connection.number("parent_of", account=parent):
        raise SubaccountsNotAllowed
    if connection.row("account_by_name", AccountRow, name=new.email) is not None:
        raise EmailTaken
    if connection.number("credit_of", account=parent) < new.credit:
        raise BalanceTooLow
    profile = Profile(firstname=new.firstname, lastname=new.lastname, email=new.email)
    kept = msgspec.json.encode(profile).decode()
    number = connection.number(
        "insert_subaccount", email=new.email, created_at=at, profile=kept, parent=parent, kind=new.kind, token=new.token
    )
    connection.run(
        "insert_key", account=number, digest=new.key_digest, label="subaccount", created_at=at, networks="[]"
    )
    _transfer(connection, parent, number, new.credit)
    note(connection, at=at, actor=actor, act="subaccount created", subject=new.email, details=_amount(new.credit))


def _find(connection: Connection, parent: int, token: str) -> tuple[int, str, int]:
    row = connection.row("subaccount_by_token", tuple[int, str, int], parent=parent, token=token)
    if row is None:
        raise SubaccountNotFound
    return row


def move_credit(connection: Connection, parent: int, token: str, amount: int, actor: str, at: int) -> MovedCredit:  # noqa: PLR0917  one act's own words
    """Move credit to a sub-account, or back. Raises SubaccountNotFound, BalanceTooLow, SubaccountBalanceTooLow."""
    number, name, credit = _find(connection, parent, token)
    left = connection.number("credit_of", account=parent)
    if amount > left:
        raise BalanceTooLow
    if -amount > credit:
        raise SubaccountBalanceTooLow
    _transfer(connection, parent, number, amount)
    note(connection, at=at, actor=actor, act="credit moved", subject=name, details=_amount(amount))
    return MovedCredit(from_micros(left - amount), from_micros(credit + amount))


def remove_subaccount(connection: Connection, parent: int, token: str, actor: str, at: int) -> None:
    """Disable a sub-account with all below it; its credit goes up. Raises SubaccountNotFound."""
    number, name, _ = _find(connection, parent, token)
    _remove_tree(connection, parent, number, name, actor, at)


def _remove_tree(connection: Connection, parent: int, number: int, name: str, actor: str, at: int) -> None:  # noqa: PLR0917  one act's own words
    """Remove a sub-account with all that is below it, lowest first: what each has left goes up."""
    for below, its_name, _ in connection.rows("subaccounts_of", tuple[int, str, int], parent=number):
        _remove_tree(connection, number, below, its_name, actor, at)
    credit = connection.number("credit_of", account=number)
    _transfer(connection, parent, number, -credit)
    connection.run("remove_subaccount", account=number)
    connection.run("disable_keys_of", account=number)
    note(connection, at=at, actor=actor, act="subaccount removed", subject=name, details=_amount(-credit))


def rotate_key(  # noqa: PLR0917  one act's own words
    connection: Connection, parent: int, token: str, digest_of: Callable[[int], bytes], actor: str, at: int
) -> int:
    """Give a sub-account a key in place of those it has; return which one it is. Raises SubaccountNotFound."""
    number, name, _ = _find(connection, parent, token)
    keys = connection.number("subaccount_keys", account=number)
    connection.run("disable_keys_of", account=number)
    connection.number(
        "insert_key", account=number, digest=digest_of(keys), label="subaccount", created_at=at, networks="[]"
    )
    note(connection, at=at, actor=actor, act="subaccount key rotated", subject=name, details="")
    return keys


def _transfer(connection: Connection, parent: int, subaccount: int, amount: int) -> None:
    """Move an amount; what was granted moves with it, so that granted less spent stays what is left."""
    connection.run("move_credit", account=parent, amount=-amount)
    connection.run("move_credit", account=subaccount, amount=amount)


def grant(connection: Connection, name: str, amount: int, actor: str, at: int) -> Decimal:
    """Add to an account's credit, or take off; return what is left. Raises NoSuchAccount, BalanceTooLow."""
    row = row_named(connection, name)
    left = row.credit + amount
    if left < 0:
        raise BalanceTooLow(f"account {name} has {from_micros(row.credit)} left")
    connection.run("move_credit", account=row.id, amount=amount)
    note(connection, at=at, actor=actor, act="credit granted", subject=name, details=_amount(amount))
    return from_micros(left)


def _amount(micros: int) -> str:
    return f"{from_micros(micros):+f}"


def read_subaccounts(read: Connection, parent: int, page: int, size: int) -> tuple[int, list[Subaccount]]:
    """Return how many sub-accounts there are, and a page of them, oldest first."""
    total = read.number("subaccount_total", parent=parent)
    offset = min((page - 1) * size, total)
    rows = read.rows("subaccounts", _SubaccountRow, parent=parent, limit=size, offset=offset)
    return total, [_subaccount(row) for row in rows]


def read_spent(read: Connection, account_id: int, months: Sequence[str]) -> list[MonthSpending]:
    """Return what was spent in those of the months in which anything was."""
    rows = read.rows("spent", tuple[str, int, int], account=account_id, first_month=months[0], last_month=months[-1])
    return [MonthSpending(month, from_micros(cost), segments) for month, cost, segments in rows]
