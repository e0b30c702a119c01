"""Accounts and their API keys (contract 0, 5; design 2)."""

import hmac
import secrets
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum


class AccountState(Enum):
    """Whether an account may use the API; anything but ACTIVE is answered with a code (contract 5)."""

    ACTIVE = "active"
    DISABLED = "disabled"
    """Code 20."""
    BLOCKED = "blocked"
    """Code 30."""
    API_REFUSED = "api_refused"
    """Code 40."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """Who sends, and with which credit."""

    id: int
    name: str
    state: AccountState
    credit: Decimal
    currency: str = "EUR"
    firstname: str = ""
    lastname: str = ""
    unicode_allowed: bool = True
    """Whether `isUnicode` is activated (contract 2.1)."""
    low_cost_allowed: bool = True
    """Whether the low cost range may be used (contract 5, code 51)."""

    @property
    def username(self) -> str:
        """The name that `me` shows (contract 4.1)."""
        return self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key as we know it: never the key itself."""

    id: int
    account_id: int
    label: str
    created_at: int
    disabled: bool


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
