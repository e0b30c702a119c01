"""What is set for one account, beyond its name, state and credit."""

from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum

HEAVIEST = 1_000
"""The largest weight of an account."""


class CommercialTexts(Enum):
    """Which texts of an account leave at commercial hours only (contract 2.5)."""

    NONE = "none"
    """The account sends for transactions."""
    STOP = "stop"
    """Those with the STOP mention."""
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """The settings of one account; the store keeps them as one JSON object, a missing one is the default."""

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
    """Long numbers that are its own, E.164 digits: where `vn/send` may come from, and replies go to."""
    stop_answer: str = ""
    """What a subscriber who sends STOP is answered; empty: nothing."""
    signing_secret: str = ""
    """Signs its callbacks; empty: the secret of the installation."""
    countries: tuple[str, ...] = ()
    """ISO 3166 codes of the countries it may send to, or `*`; empty: the home country (`domain/countries`)."""
    segments_per_day: int = 0
    """Segments that it, with all accounts below it, may have accepted in a day of Paris; 0: any."""
    cost_per_day: Decimal = Decimal(0)
    """What these may cost, in the currency of the credit; 0: any."""
    creates_subaccounts: bool = False
    """Whether it may have sub-accounts (contract 4.4, code 2); one of those never may."""
    unmasks: bool = True
    """Whether its keys may see numbers whole where people look, for a reason that the audit log keeps."""
    requests_per_second: int = 0
    """Requests answered in one second, over all its keys; 0: the limit of the installation."""
    weight: int = 1
    """How much of a busy link is its own: an account of weight 3 sends three segments where others send one."""


NO_SENDER = ("",)
"""Senders that allow none but the one that a link has for messages without."""

_STRICTEST = tuple(CommercialTexts)
"""From none of an account's texts to all of them."""


def narrowed(own: Profile, parent: Profile) -> Profile:
    """Return the settings of a sub-account, none of them wider than its parent's.

    Its names, its long numbers, its secret and what it answers to STOP are its own. So are its countries and what it
    may send in a day: both are asked of every account above it too.
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
