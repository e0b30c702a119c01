"""To which countries an account may send: those on its list, none of which an account above it may not send to."""

from esito.domain.account import Account
from esito.domain.dialling import COUNTRY_OF_PREFIX

HOME = "FR"
"""The country of an installation that names none: the contract reads national numbers as French."""

ANYWHERE = "*"
"""Stands in a list for every country, and for numbers of no country: what has a price may be sent to."""

KNOWN = frozenset(COUNTRY_OF_PREFIX.values())
"""ISO 3166 codes of all countries with a calling code."""


def may_send_to(account: Account, country: str | None, *, home: str) -> bool:
    """Tell whether an account may send to a country; None is a number of no country.

    Without a list it is the home country; a sub-account without one has what the account above it has.
    """
    for one in account.lineage:
        listed: tuple[str | None, ...] = one.profile.countries
        if not listed and one.parent is None:
            listed = (home,)
        if listed and ANYWHERE not in listed and country not in listed:
            return False
    return True
