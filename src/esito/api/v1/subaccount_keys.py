"""Keys of sub-accounts, which are derived and stored nowhere (contract 4.4)."""

import hmac

from esito.api.http.request import AccountRequest

EXAMPLE_TOKEN = "5b7c1f0e9d2a44c8b6e3f1a2c4d5e6f7"  # noqa: S105  in the documentation


def subaccount_key(request: AccountRequest, token: str, *, before: int) -> str:
    """Return the API key of a sub-account that has had `before` keys.

    Its parent may look it up again (contract 4.4), and yet no key is stored: it is derived from the token and the
    secret of the installation, which is not in the database.
    """
    made_of = f"subaccount {token} {before}" if before else f"subaccount {token}"
    return hmac.digest(request.services.key_secret, made_of.encode(), "sha256").hex()[:40]


def actor_of(request: AccountRequest) -> str:
    """Return who acts, as the audit log names him."""
    return f"account:{request.account.name}"
