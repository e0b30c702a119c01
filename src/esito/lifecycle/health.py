"""Which links are passed over: those that could not be used for a while, ours and those that other processes hold."""

import asyncio
import time
from collections.abc import Callable, Iterable

import msgspec
import structlog

from esito.domain.errors import StoreError
from esito.smpp.link import Link
from esito.store.base import Store
from esito.store.leases import LeaseLine

log = structlog.get_logger()

PASSED_OVER_AFTER = 2.0
"""Seconds that a link must be unusable before others take its place: a rebind is over sooner."""

LOOK_EVERY = 1.0
"""Seconds between looks at what other processes say of their links."""


def usable(link: Link) -> bool:
    """Tell whether segments should leave by this link: it is bound for sending, and not throttled to its floor.

    One that answered no submit_sm before is usable for the one that tries it, and no more while that has no answer.
    """
    trying = link.unanswering and link.window_in_use > 0
    return link.can_send and not trying and not link.pace.is_at_floor(asyncio.get_running_loop().time())


class Told(msgspec.Struct):
    """What is read of what the holder of a link says of it."""

    usable: bool = False


class Health:
    """Since when which links cannot be used; one that nothing was said of yet is not passed over at once."""

    def __init__(self, names: Iterable[str] = (), *, seconds: Callable[[], float] = time.monotonic) -> None:
        """`seconds` tells a time that never steps."""
        self._seconds = seconds
        self._since = dict.fromkeys(names, seconds())

    def note(self, name: str, *, is_usable: bool) -> None:
        """Take note of how a link is now."""
        if is_usable:
            self._since.pop(name, None)
        else:
            self._since.setdefault(name, self._seconds())

    def forget(self, name: str) -> None:
        """Have no such link any more."""
        self._since.pop(name, None)

    def passed_over(self) -> frozenset[str]:
        """Return the links whose place others take."""
        before = self._seconds() - PASSED_OVER_AFTER
        return frozenset(name for name, since in self._since.items() if since <= before)


def note_told(health: Health, lines: Iterable[LeaseLine], *, names: Iterable[str]) -> None:
    """Take note of links that other processes hold; nobody can use one that nobody holds."""
    told = {line.name.removeprefix("link:"): line for line in lines if line.name.startswith("link:")}
    for name in names:
        line = told.get(name)
        held = line is not None and line.left_ms > 0 and bool(line.told)
        health.note(name, is_usable=held and line is not None and msgspec.json.decode(line.told, type=Told).usable)


async def watch_others(health: Health, store: Store, others: Callable[[], Iterable[str]]) -> None:
    """Take note, again and again until cancelled, of the links that others hold."""
    while True:
        try:
            note_told(health, await store.leases.all(), names=others())
        except StoreError as error:  # while the store does not answer nobody claims
            log.warning("links_of_others_unknown", reason=str(error))
        await asyncio.sleep(LOOK_EVERY)
