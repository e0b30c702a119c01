"""How many callbacks may be out at a time: of an account, to one address of its, to one server there.

An account gets a quarter of what the others leave, so that the next account always finds something; an address gets
half of that. What the sandbox tells costs nothing and has slots of its own, so that it never takes anybody else's.
"""

from collections import Counter
from collections.abc import Container, Hashable
from dataclasses import dataclass

ALL = 512
"""Callbacks that are out at a time, over all accounts."""
ALL_IN_SANDBOX = 64
"""The same for messages of the sandbox."""
USUAL = 32
"""Callbacks that are out at a time to one server (scheme, host and port)."""
FAST = 64
"""The same to a server that answers fast."""


@dataclass(frozen=True, slots=True)
class CallbackTarget:
    """Whose a callback is, and where it goes."""

    sandbox: bool
    account: int
    address: str
    """The host of its URL."""
    destination: int
    """The server: scheme, host and port, as the store knows it."""


class Slots:
    """Counts what one process has out, and says how much more may go."""

    def __init__(self, *, most: int = ALL, in_sandbox: int = ALL_IN_SANDBOX, usual: int = USUAL) -> None:
        self._most = {False: most, True: in_sandbox}
        self._usual = usual
        self._out: Counter[Hashable] = Counter()

    def copy(self) -> "Slots":
        """Return the same counts, to be gone on with by somebody else."""
        other = Slots(most=self._most[False], in_sandbox=self._most[True], usual=self._usual)
        other._out = self._out.copy()
        return other

    def take(self, place: CallbackTarget) -> None:
        """One goes out."""
        for counted in _counted(place):
            self._out[counted] += 1

    def free(self, place: CallbackTarget) -> None:
        """One has come to its end."""
        for counted in _counted(place):
            self._out[counted] -= 1
            if not self._out[counted]:
                del self._out[counted]

    def of_account(self, account: int, *, sandbox: bool) -> int:
        """Return how many more of an account may go out; at least one while it has none out and a slot is free."""
        mine = self._out[sandbox, account]
        left = self._most[sandbox] - self._out[sandbox]
        return max(0, min(left, self._share(account, sandbox=sandbox) - mine))

    def of_place(self, place: CallbackTarget, fast: Container[int] = ()) -> int:
        """Return how many more may go out to a place; `fast` are the servers that answer fast."""
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
