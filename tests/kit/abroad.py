"""Sending to every country: a price for each, and an account that may."""

from esito.domain.account import Account
from esito.store.interface.store import Store

PRICED = "[pricing.prefixes]\n" + "".join(f'"+{digit}" = "0.045"\n' for digit in range(1, 10))
"""A section of settings in which every number has a price."""


async def let_abroad(store: Store, account: Account) -> Account:
    """Let an account send to any country that has a price."""
    return await store.change_profile(account.name, {"countries": ("*",)})
