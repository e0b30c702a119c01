"""Rate limits of an account: on all requests, and on those that cost more than usual (contract 4.3, 4.5)."""

from dataclasses import dataclass, field

from esito.domain.account import Account
from esito.domain.errors import TooManyRequests
from esito.domain.rate_limit import Limiter, Rate
from esito.domain.timing import MINUTE_MS, SECOND_MS


@dataclass(slots=True)
class Limits:
    """The limits of one installation; the counts are those of this process."""

    requests_per_second: int = 0
    """Of each account, unless its profile says otherwise; 0: as many as it likes."""
    lookups: Limiter = field(default_factory=lambda: Limiter(Rate(360, MINUTE_MS)))
    statistics: Limiter = field(default_factory=lambda: Limiter(Rate(5, MINUTE_MS)))
    _requests: dict[int, Limiter] = field(default_factory=dict)
    """By rate; few different ones are in use."""

    def check_request(self, account: Account, now: int) -> None:
        """Count a request, of a sub-account as one of every account above it too. Raises TooManyRequests."""
        for one in account.lineage:
            rate = one.profile.requests_per_second or self.requests_per_second
            if not rate:
                continue
            limiter = self._requests.get(rate)
            if limiter is None:
                limiter = self._requests[rate] = Limiter(Rate(rate, SECOND_MS))
            _count(limiter, one, now)


def check(limiter: Limiter, account: Account, now: int) -> None:
    """Count a request of an account and of every account above it. Raises TooManyRequests."""
    for one in account.lineage:
        _count(limiter, one, now)


def _count(limiter: Limiter, account: Account, now: int) -> None:
    """Count a request. Raises TooManyRequests, which says when to come again."""
    wait = limiter.wait_ms(account.id, now)
    if wait:
        raise TooManyRequests(-(-wait // SECOND_MS))
