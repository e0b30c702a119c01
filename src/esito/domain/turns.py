"""Whose segment leaves next: accounts take turns on a link, and each decides what of its own goes first.

What waits lies in lanes, one for each account and rank. An account's lanes are emptied by rank: a higher `priority`
before a lower one, premium before low cost, and of these a small message is not held up by a large one. Between
accounts a rank decides nothing but who of two that are even goes first: a priority takes nothing from others.

Accounts are served by start-time fair queueing. Every segment moves its account on by `1 / weight`, one of the low
cost range by `LOW_COST_TURNS / weight`; who has come least far is next. Who had nothing to send begins where the
one stands who is next, so that it neither waits for a backlog nor is paid for its silence.
"""

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from esito.domain.message import Range

SMALL = 10
"""Recipients up to which a message is small."""

LOW_COST_TURNS = 8
"""Turns that a segment of the low cost range takes of its account."""

LOWEST_PRIORITY, HIGHEST_PRIORITY = 0, 3
"""As in the priority_flag of SMPP 3.4 (5.2.14)."""

SCHEDULED = 0
"""The lane of what is not due yet."""

_ACCOUNT_BITS = 40
_ACCOUNT = (1 << _ACCOUNT_BITS) - 1
_REMEMBERED = 4_096
"""Accounts beyond which those that nobody waits for are forgotten."""


def lane_of(account: int, *, priority: int, gamme: int, recipients: int) -> int:
    """Return the lane of a message; lanes count up by rank, then by account, and none is `SCHEDULED`."""
    rank = (HIGHEST_PRIORITY - priority) * 4 + (gamme - 1) * 2 + (recipients > SMALL)
    return rank << _ACCOUNT_BITS | account


def account_of(lane: int) -> int:
    """Return whose lane it is."""
    return lane & _ACCOUNT


def is_large(lane: int) -> bool:
    """Tell whether it is the lane of large messages; that of the small ones of the same rank is its neighbour."""
    return bool(lane >> _ACCOUNT_BITS & 1)


def class_of(lane: int) -> int:
    """Return what goes first within an account, the least first: priority, then range."""
    return lane >> (_ACCOUNT_BITS + 1)


def turns_of(lane: int) -> int:
    """Return how many turns a segment of this lane takes."""
    return LOW_COST_TURNS if class_of(lane) % 2 == Range.LOW_COST - 1 else 1


class RouteLane(NamedTuple):
    """Something with work: a lane of one route."""

    lane: int
    route: int


@dataclass(slots=True)
class WaitingAccount:
    """An account that has work."""

    weight: int
    places: list[RouteLane] = field(default_factory=list)
    """In the order in which they are emptied."""


def by_account(found: Iterable[tuple[RouteLane, int]]) -> dict[int, WaitingAccount]:
    """Group places, each given with the weight of its account."""
    accounts: dict[int, WaitingAccount] = {}
    for place, weight in sorted(found):
        account = account_of(place.lane)
        waiting = accounts.setdefault(account, WaitingAccount(max(1, weight)))
        waiting.places.append(place)
    return accounts


class Turns:
    """How far every account has come on one link."""

    def __init__(self) -> None:
        self._reached: dict[int, float] = {}
        self._now = 0.0

    def shares(self, waiting: Mapping[int, WaitingAccount], slots: int, *, most: int) -> list[tuple[int, int]]:
        """Return which accounts get how many of the slots, in turn; fewer slots, should it be more than `most`."""
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
            self._now = reached + (share - 1) * turn  # where the last segment begins: nobody new begins before it
            heapq.heapreplace(heap, (reached + share * turn, lane, account))
        return list(given.items())

    def take(self, account: int, weight: int, turns: int) -> None:
        """Move an account on by what it got of its share."""
        self._reached[account] = self._reached.get(account, self._now) + turns / weight
        if len(self._reached) > _REMEMBERED:
            self._forget()

    def _forget(self) -> None:
        """Forget those who would begin no later than somebody new; should that be too few, all are even again."""
        self._reached = {one: reached for one, reached in self._reached.items() if reached > self._now}
        if len(self._reached) > _REMEMBERED // 2:
            self._now = max(self._reached.values())
            self._reached.clear()


class Halves:
    """Two kinds share slots: each keeps half while both have work, and of a single slot they take turns."""

    def __init__(self) -> None:
        self._second_next = False

    def second(self, slots: int) -> int:
        """Return how many of the slots are kept for the second kind; the first has the odd one."""
        if slots == 1:
            self._second_next = not self._second_next
            return int(not self._second_next)
        return slots // 2


def smalls_and_larges(places: Sequence[RouteLane]) -> list[tuple[list[RouteLane], list[RouteLane]]]:
    """Return the small and the large lanes of each class of one account, in the order of the classes."""
    classes: dict[int, tuple[list[RouteLane], list[RouteLane]]] = {}
    for place in places:
        small, large = classes.setdefault(class_of(place.lane), ([], []))
        (large if is_large(place.lane) else small).append(place)
    return [classes[one] for one in sorted(classes)]
