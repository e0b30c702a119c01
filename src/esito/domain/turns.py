"""Which segment leaves next: accounts take turns on a link, and each ranks its own messages.

Waiting segments lie in lanes, one for each account and rank. The lanes of an account are emptied by rank: a higher
`priority` first, premium before low cost; a large message does not hold up a small one of the same rank. Between
accounts a rank only breaks ties: one account's priority takes nothing from another.

Accounts are served by start-time fair queueing. Every segment advances its account by `1 / weight`, one of the low cost
range by `LOW_COST_TURNS / weight`; the account that has advanced least is next. An account that was idle starts level
with the one that is next, so it neither waits behind a backlog nor saves up turns.
"""

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from esito.domain.message import Range

SMALL = 10
"""Recipients of a small message, at most."""

LOW_COST_TURNS = 8
"""Turns that a low cost segment takes."""

LOWEST_PRIORITY, HIGHEST_PRIORITY = 0, 3
"""As in the priority_flag of SMPP 3.4 (5.2.14)."""

SCHEDULED = 0
"""The lane of segments that are not due yet."""

_ACCOUNT_BITS = 40
_ACCOUNT = (1 << _ACCOUNT_BITS) - 1
_REMEMBERED = 4_096
"""Accounts beyond which idle ones are forgotten."""


def lane_of(account: int, *, priority: int, gamme: int, recipients: int) -> int:
    """Return the lane of a message; lanes sort by rank, then by account, and none is `SCHEDULED`."""
    rank = (HIGHEST_PRIORITY - priority) * 4 + (gamme - 1) * 2 + (recipients > SMALL)
    return rank << _ACCOUNT_BITS | account


def account_of(lane: int) -> int:
    """Return the account of a lane."""
    return lane & _ACCOUNT


def is_large(lane: int) -> bool:
    """Tell whether a lane is that of large messages; the lane before it has the small ones of the same rank."""
    return bool(lane >> _ACCOUNT_BITS & 1)


def class_of(lane: int) -> int:
    """Return the order of a lane within its account, lowest first: by priority, then range."""
    return lane >> (_ACCOUNT_BITS + 1)


def turns_of(lane: int) -> int:
    """Return how many turns a segment of this lane takes."""
    return LOW_COST_TURNS if class_of(lane) % 2 == Range.LOW_COST - 1 else 1


class RouteLane(NamedTuple):
    """A lane of one route that has work."""

    lane: int
    route: int


@dataclass(slots=True)
class WaitingAccount:
    """An account with waiting segments."""

    weight: int
    places: list[RouteLane] = field(default_factory=list)
    """In the order in which they are emptied."""


def by_account(found: Iterable[tuple[RouteLane, int]]) -> dict[int, WaitingAccount]:
    """Group lanes by account; each comes with the weight of its account."""
    accounts: dict[int, WaitingAccount] = {}
    for place, weight in sorted(found):
        account = account_of(place.lane)
        waiting = accounts.setdefault(account, WaitingAccount(max(1, weight)))
        waiting.places.append(place)
    return accounts


class Turns:
    """How far each account has advanced on one link."""

    def __init__(self) -> None:
        self._reached: dict[int, float] = {}
        self._now = 0.0

    def shares(self, waiting: Mapping[int, WaitingAccount], slots: int, *, most: int) -> list[tuple[int, int]]:
        """Return how many of the slots each account gets, in turn; at most `most` accounts get some."""
        heap = [
            (max(self._reached.get(account, 0.0), self._now), one.places[0].lane, account)
            for account, one in waiting.items()
        ]
        heapq.heapify(heap)
        given: dict[int, int] = {}
        while heap and slots > 0:
            reached, lane, account = heap[0]
            if account not in given:
                if len(given) == most:
                    break
                self._reached[account] = reached
            share = slots if len(heap) == 1 else 1
            slots -= share
            given[account] = given.get(account, 0) + share
            turn = turns_of(lane) / waiting[account].weight
            self._now = reached + (share - 1) * turn  # where the last segment begins: no newcomer begins before it
            heapq.heapreplace(heap, (reached + share * turn, lane, account))
        return list(given.items())

    def take(self, account: int, weight: int, turns: int) -> None:
        """Advance an account by what it took of its share."""
        self._reached[account] = self._reached.get(account, self._now) + turns / weight
        if len(self._reached) > _REMEMBERED:
            self._forget()

    def _forget(self) -> None:
        """Forget accounts that are level with a newcomer; if that is not enough, make all level."""
        self._reached = {one: reached for one, reached in self._reached.items() if reached > self._now}
        if len(self._reached) > _REMEMBERED // 2:
            self._now = max(self._reached.values())
            self._reached.clear()


class Halves:
    """Shares slots between two kinds: half each while both have work; they take turns with a single slot."""

    def __init__(self) -> None:
        self._second_next = False

    def second(self, slots: int) -> int:
        """Return how many of the slots are reserved for the second kind; the first gets the odd one."""
        if slots == 1:
            self._second_next = not self._second_next
            return int(not self._second_next)
        return slots // 2


def smalls_and_larges(places: Sequence[RouteLane]) -> list[tuple[list[RouteLane], list[RouteLane]]]:
    """Return the lanes of small and of large messages of each class of one account, in order of the classes."""
    classes: dict[int, tuple[list[RouteLane], list[RouteLane]]] = {}
    for place in places:
        small, large = classes.setdefault(class_of(place.lane), ([], []))
        (large if is_large(place.lane) else small).append(place)
    return [classes[one] for one in sorted(classes)]
