"""What we ask of a database about accounts: their money and sub-accounts, their STOP lists, and who administers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple, Protocol

from esito.domain.credentials import Administrator


@dataclass(frozen=True, slots=True, kw_only=True)
class NewSubaccount:
    """A sub-account about to be made."""

    email: str
    """Names it; no other account may have it as its name."""
    kind: str
    """`simple` or `advanced`."""
    token: str
    """Names it to its parent."""
    key_digest: bytes
    firstname: str
    lastname: str
    credit: int
    """Micro-euros that its parent gives it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subaccount:
    """A sub-account as its parent sees it."""

    id: int
    email: str
    kind: str
    token: str
    created_at: int
    credit: Decimal
    keys: int
    """How many keys it has had."""


class MovedCredit(NamedTuple):
    """What is left after credit was moved."""

    parent: Decimal
    subaccount: Decimal


class MonthSpending(NamedTuple):
    """What an account spent in one month."""

    month: str
    """As `2026-11`, Paris."""
    cost: Decimal
    segments: int


class AuditEntry(NamedTuple):
    """One administrative act."""

    at: int
    actor: str
    """`cli:` and a user of the machine, or `account:` and the account whose key it was."""
    act: str
    subject: str
    details: str


class LedgerStore(Protocol):
    """Money that moves between accounts, and what was done to them. Every change also has its line in the audit log."""

    async def create_subaccount(self, parent: int, new: NewSubaccount, *, actor: str, at: int) -> None:
        """Make a sub-account with its key and give it credit of its parent.

        Raises EmailTaken, BalanceTooLow, and SubaccountsNotAllowed where the parent is a sub-account itself.
        """

    async def subaccounts(self, parent: int, *, page: int, size: int) -> tuple[int, list[Subaccount]]:
        """Return how many there are, and a page of them, oldest first."""

    async def move_credit(self, parent: int, token: str, amount: int, *, actor: str, at: int) -> MovedCredit:
        """Give a sub-account micro-euros of its parent, or with a negative amount take them back.

        Neither ever has less than nothing. Raises SubaccountNotFound, BalanceTooLow, SubaccountBalanceTooLow.
        """

    async def remove_subaccount(self, parent: int, token: str, *, actor: str, at: int) -> None:
        """Disable a sub-account and its keys, and whatever is below it; its credit goes back to the parent.

        Raises SubaccountNotFound.
        """

    async def rotate_key(
        self, parent: int, token: str, digest_of: Callable[[int], bytes], *, actor: str, at: int
    ) -> int:
        """Give a sub-account a key in place of those it has, which open nothing any more; return which one it is.

        `digest_of`: the digest of its key by how many it had before. Raises SubaccountNotFound.
        """

    async def grant(self, account: str, amount: int, *, actor: str, at: int) -> Decimal:
        """Add micro-euros to an account's credit, or take them off; return what is left.

        Raises NoSuchAccount, and BalanceTooLow when less than nothing would be left.
        """

    async def spent(self, account_id: int, months: Sequence[str]) -> list[MonthSpending]:
        """Return what was spent in those of the months in which anything was; they are in order, without a gap."""

    async def note(self, *, actor: str, act: str, subject: str, details: str, at: int) -> None:
        """Write a line into the audit log."""

    async def audit(self, *, limit: int) -> list[AuditEntry]:
        """Return the newest lines of the audit log, newest first."""


class AdministratorStore(Protocol):
    """Keys that open what belongs to the installation. Every change has its line in the audit log."""

    async def create(
        self, name: str, *, key_digest: bytes, networks: Sequence[str], actor: str, at: int
    ) -> Administrator:
        """Keep an administrator's key. Raises NameTaken."""

    async def all(self) -> list[Administrator]:
        """Return every administrator, by name."""

    async def by_key(self, key_digest: bytes) -> Administrator | None:
        """Return whose key this is; None for an unknown or disabled one."""

    async def set_disabled(self, name: str, *, disabled: bool, actor: str, at: int) -> Administrator:
        """Let a key open nothing any more, or again. Raises NoSuchAdministrator."""

    async def replace_key(self, name: str, *, key_digest: bytes, actor: str, at: int) -> Administrator:
        """Give an administrator another key; the one before opens nothing any more. Raises NoSuchAdministrator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """One number on a STOP list."""

    id: int
    msisdn: str
    """E.164 with plus."""
    created_at: int


class StopStore(Protocol):
    """The STOP list of each account."""

    async def list(self, account_id: int, *, after: int = 0, limit: int = 500) -> list[Stop]:
        """Return up to `limit` numbers of the account's STOP list beyond an id, oldest first."""

    async def count(self, account_id: int) -> int:
        """Return how many numbers are on the account's STOP list."""

    async def add(self, account_id: int, msisdn: int, *, at: int) -> int:
        """Put a number (digits) on the list; return its id, the same for a number that is on it already."""

    async def delete(self, account_id: int, stop_id: int) -> None:
        """Take a number off the list by its id. Raises StopNotFound."""
