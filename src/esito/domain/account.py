"""Accounts: their state and credit, their settings, and the countries they may send to (contract 0, 5)."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import Enum

from esito.domain.dialling import COUNTRY_OF_PREFIX
from esito.domain.errors import AccountBlocked, AccountDisabled, ApiRefused, Refusal

HEAVIEST = 1_000
"""The largest weight of an account."""


class CommercialTexts(Enum):
    """Which texts of an account are commercial, and leave at commercial hours only (contract 2.5)."""

    NONE = "none"
    """It sends transactional texts."""
    STOP = "stop"
    """Those with the STOP mention."""
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The settings of one account; the store keeps them as a JSON object, in which a missing one has its default."""

    firstname: str = ""
    lastname: str = ""
    email: str = ""
    unicode_allowed: bool = True
    """Whether `isUnicode` is activated (contract 2.1)."""
    low_cost_allowed: bool = True
    """Whether the low cost range may be used (contract 5, code 51)."""
    commercial: CommercialTexts = CommercialTexts.NONE
    senders: tuple[str, ...] = ()
    """The senders it may use; empty: any (contract 5, code 992)."""
    numbers: tuple[str, ...] = ()
    """Its own long numbers, E.164 digits: `vn/send` may use them as sender, and replies come to them."""
    stop_answer: str = ""
    """The answer to a STOP; empty: none."""
    signing_secret: str = ""
    """Signs its callbacks; empty: the secret of the installation."""
    countries: tuple[str, ...] = ()
    """ISO 3166 codes of the countries it may send to, or `*`; empty: see `may_send_to`."""
    segments_per_day: int = 0
    """Segments that it and its sub-accounts may send in a day of Paris; 0: unlimited."""
    cost_per_day: Decimal = Decimal(0)
    """What these may cost, in the currency of the credit; 0: unlimited."""
    creates_subaccounts: bool = False
    """Whether it may have sub-accounts (contract 4.4, code 2); a sub-account never may."""
    unmasks: bool = True
    """Whether its keys may unmask numbers, for a reason that the audit log keeps."""
    requests_per_second: int = 0
    """Requests answered in one second, over all its keys; 0: the installation's limit."""
    weight: int = 1
    """Its share of a busy link: an account of weight 3 sends three segments where others send one."""


NO_SENDER = ("",)
"""Allows no sender but the one that the link has for messages without a sender."""

_STRICTEST = tuple(CommercialTexts)
"""From none of an account's texts to all of them."""


def narrowed(own: Profile, parent: Profile) -> Profile:
    """Return the settings of a sub-account, none of them wider than its parent's.

    Names, long numbers, signing secret and the answer to STOP are its own. So are countries and daily ceilings, which
    are also checked for every account above it.
    """
    senders = own.senders or parent.senders
    if own.senders and parent.senders:
        senders = tuple(one for one in own.senders if one in parent.senders) or NO_SENDER
    rates = [one for one in (own.requests_per_second, parent.requests_per_second) if one]
    return replace(
        own,
        unicode_allowed=own.unicode_allowed and parent.unicode_allowed,
        low_cost_allowed=own.low_cost_allowed and parent.low_cost_allowed,
        commercial=max(own.commercial, parent.commercial, key=_STRICTEST.index),
        senders=senders,
        creates_subaccounts=False,
        unmasks=own.unmasks and parent.unmasks,
        requests_per_second=min(rates, default=0),
        weight=min(own.weight, parent.weight),
    )


class AccountState(Enum):
    """Whether an account may use the API; any other state than ACTIVE is refused with a code (contract 5)."""

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
    """An account and its credit."""

    id: int
    name: str
    state: AccountState
    credit: Decimal
    profile: Profile = field(default_factory=Profile)
    networks: tuple[str, ...] = ()
    """Networks that the key it was opened with may be used from; empty: everywhere (contract 5, code 96)."""
    parent: "Account | None" = None
    """The account above a sub-account, as that may act now; its `networks` are those of any of its keys."""

    may_have_stops: bool = field(default=True, compare=False)
    """False if its STOP list was empty when it was read."""

    @property
    def username(self) -> str:
        """The name that `me` shows (contract 4.1)."""
        return self.name

    @property
    def lineage(self) -> "Iterator[Account]":
        """Yield the account and every account above it: what one sends counts for all of them."""
        account: Account | None = self
        while account is not None:
            yield account
            account = account.parent

    @property
    def top(self) -> int:
        """The id of the topmost account: limits per account hold for all accounts below it together."""
        return self.id if self.parent is None else self.parent.top

    def below(self, parent: "Account") -> "Account":
        """Return a sub-account as it may act now: never more than its parent.

        Of each setting the narrower holds, and the sub-account of an inactive parent is inactive.
        """
        return replace(
            self,
            parent=parent,
            state=self.state if parent.state is AccountState.ACTIVE else parent.state,
            profile=narrowed(self.profile, parent.profile),
        )


# -- countries ----------------------------------------------------------------------------------

HOME = "FR"
"""The home country if the settings name none: the contract reads national numbers as French."""

ANYWHERE = "*"
"""In a list of countries: every country, and numbers of no country, as far as they have a price."""

ISO_COUNTRIES = frozenset(COUNTRY_OF_PREFIX.values())
"""ISO 3166 codes of all countries with a calling code."""


def may_send_to(account: Account, country: str | None, *, home: str) -> bool:
    """Tell whether an account may send to a country; None: a number of no country.

    It may send to the countries on its list, unless an account above it may not. Without a list it may send to the home
    country; a sub-account without one has the list of the account above it.
    """
    for one in account.lineage:
        listed: tuple[str | None, ...] = one.profile.countries
        if not listed and one.parent is None:
            listed = (home,)
        if listed and ANYWHERE not in listed and country not in listed:
            return False
    return True
