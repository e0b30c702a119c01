"""Accounts and their API keys (contract 0, 5; design 2)."""

import hmac
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import Enum

from esito.domain.errors import AccountBlocked, AccountDisabled, ApiRefused, Refusal
from esito.domain.profile import Profile, narrowed


class AccountState(Enum):
    """Whether an account may use the API; anything but ACTIVE is answered with a code (contract 5)."""

    ACTIVE = "active"
    DISABLED = "disabled"
    """Code 20."""
    BLOCKED = "blocked"
    """Code 30."""
    API_REFUSED = "api_refused"
    """Code 40."""


SHUT_OUT: dict[AccountState, type[Refusal]] = {
    AccountState.DISABLED: AccountDisabled,
    AccountState.BLOCKED: AccountBlocked,
    AccountState.API_REFUSED: ApiRefused,
}
"""Why an account that is not active is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who sends, and with which credit."""

    id: int
    name: str
    state: AccountState
    credit: Decimal
    profile: Profile = field(default_factory=Profile)
    networks: tuple[str, ...] = ()
    """From where the key that opened it may be used; empty: from everywhere (contract 5, code 96)."""
    parent: "Account | None" = None
    """Of a sub-account: whose it is, as that may act now; `networks` are those of any of its keys."""

    may_have_stops: bool = field(default=True, compare=False)
    """False: when it was read, nothing was on its STOP list."""

    @property
    def username(self) -> str:
        """The name that `me` shows (contract 4.1)."""
        return self.name

    @property
    def lineage(self) -> "Iterator[Account]":
        """Yield the account, and every account above it: what is counted of one is counted of all of them."""
        account: Account | None = self
        while account is not None:
            yield account
            account = account.parent

    @property
    def top(self) -> int:
        """The id of the account above all: what is bounded per account is bounded for all of them together."""
        return self.id if self.parent is None else self.parent.top

    def below(self, parent: "Account") -> "Account":
        """Return a sub-account as it may act now: it may nothing that its parent may not.

        What is the narrower of the two holds, and a parent that is not active shuts it.
        """
        return replace(
            self,
            parent=parent,
            state=self.state if parent.state is AccountState.ACTIVE else parent.state,
            profile=narrowed(self.profile, parent.profile),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key as we know it: never the key itself."""

    id: int
    account_id: int
    label: str
    created_at: int
    disabled: bool
    networks: tuple[str, ...] = ()
    """Networks it may be used from, such as 192.0.2.0/24; empty: everywhere."""


def new_api_key() -> str:
    """Return a new key of 160 random bits; hexadecimal, so that it never needs escaping in a URL."""
    return secrets.token_hex(20)


def key_digest(key: str, secret: bytes) -> bytes:
    """Return the keyed hash (HMAC-SHA-256) under which a key is kept and looked up.

    Raises ValueError without a secret: such a hash could be computed by whoever reads the database.
    """
    if not secret:
        raise ValueError("the hash of a key needs a secret")
    return hmac.digest(secret, key.encode("utf-8", "surrogatepass"), "sha256")
