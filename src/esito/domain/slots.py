"""How many callbacks may be under way at a time: for an account, to one of its hosts, to one server there.

An account gets a quarter of what the others leave free, so there is always room for the next account; a host gets half
of that. Callbacks of sandbox messages have slots of their own and never take those of others.
"""

from collections import Counter
from collections.abc import Container, Hashable
from dataclasses import dataclass

ALL = 512
"""Callbacks under way at a time, over all accounts."""
ALL_IN_SANDBOX = 64
"""The same for sandbox messages."""
USUAL = 32
"""Callbacks under way at a time to one server (scheme, host and port)."""
FAST = 64
"""The same for a server that answers fast."""


@dataclass(frozen=True, slots=True)
class CallbackTarget:
    """The account of a callback, and where it goes."""

    sandbox: bool
    account: int
    address: str
    """The host of its URL."""
    destination: int
    """The store's number of the server: scheme, host and port."""


class Slots:
    """Counts the callbacks that one process has under way, and tells how many more may go."""

    def __init__(self, *, most: int = ALL, in_sandbox: int = ALL_IN_SANDBOX, usual: int = USUAL) -> None:
        self._most = {False: most, True: in_sandbox}
        self._usual = usual
        self._out: Counter[Hashable] = Counter()

    def copy(self) -> "Slots":
        """Return a copy of the counts, to try with."""
        other = Slots(most=self._most[False], in_sandbox=self._most[True], usual=self._usual)
        other._out = self._out.copy()
        return other

    def take(self, place: CallbackTarget) -> None:
        """Count a callback that is sent."""
        for counted in _counted(place):
            self._out[counted] += 1

    def free(self, place: CallbackTarget) -> None:
        """Count a callback that is finished."""
        for counted in _counted(place):
            self._out[counted] -= 1
            if not self._out[counted]:
                del self._out[counted]

    def of_account(self, account: int, *, sandbox: bool) -> int:
        """Return how many more of an account may go; at least one if it has none under way and a slot is free."""
        mine = self._out[sandbox, account]
        left = self._most[sandbox] - self._out[sandbox]
        return max(0, min(left, self._share(account, sandbox=sandbox) - mine))

    def of_place(self, place: CallbackTarget, fast: Container[int] = ()) -> int:
        """Return how many more may go to a target; `fast`: the servers that answer fast."""
        share = max(1, self._share(place.account, sandbox=place.sandbox) // 2)
        to_server = FAST if place.destination in fast else self._usual
        return max(
            0,
            min(
                self.of_account(place.account, sandbox=place.sandbox),
                share - self._out[place.sandbox, place.account, place.address],
                to_server - self._out[place.sandbox, "to", place.destination],
            ),
        )

    def _share(self, account: int, *, sandbox: bool) -> int:
        others = self._out[sandbox] - self._out[sandbox, account]
        return max(1, (self._most[sandbox] - others) // 4)


def _counted(place: CallbackTarget) -> tuple[Hashable, ...]:
    box, account = place.sandbox, place.account
    return (box, (box, account), (box, account, place.address), (box, "to", place.destination))
