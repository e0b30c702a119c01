"""Who acts for which event of a case."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from tests.receipts.case import Event, Filler

if TYPE_CHECKING:
    from tests.receipts.scene import Scene

Act = Callable[["Scene", Event, Filler], Awaitable[None]]

ACTS: dict[str, Act] = {}


def happening(name: str) -> Callable[[Act], Act]:
    """Register what happens at an event."""

    def keep(act: Act) -> Act:
        ACTS[name] = act
        return act

    return keep
