"""Tries many histories, and shrinks what breaks a promise."""

from collections.abc import Callable
from random import SystemRandom

from hypothesis import HealthCheck, given, seed, settings

from tests.histories.acts import HISTORIES, Act, Setup
from tests.histories.place import Place


def histories(kind: str, count: int, *, number: int | None = None, told: Callable[[int], None] | None = None) -> None:
    """Play as many on stores of a kind; raises Broken, or a group of them, with the shortest that were found.

    `number` is the seed; it is printed. `told` is given the number of each history before it is played.
    """
    number = SystemRandom().getrandbits(32) if number is None else number
    print(f"{count} histories on {kind}, seed {number}", flush=True)  # noqa: T201  for whoever must try them again
    played = 0
    with Place(kind) as place:

        @seed(number)
        @settings(max_examples=count, deadline=None, database=None, suppress_health_check=list(HealthCheck))
        @given(HISTORIES)
        def promises_are_kept(history: tuple[Setup, list[Act]]) -> None:
            nonlocal played
            played += 1
            if told is not None:
                told(played)
            place.play(*history)

        promises_are_kept()
