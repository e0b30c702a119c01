"""Which links are passed over: those that have been unusable for a while, in this process or in another."""

import asyncio
import time
from collections.abc import Callable, Iterable

import msgspec
import structlog

from esito.domain.errors import StoreError
from esito.store.interface.link_store import LeaseLine
from esito.store.interface.store import Store

log = structlog.get_logger()

PASSED_OVER_AFTER = 2.0
"""Seconds that a link must be unusable before others take its place: a rebind takes less."""

LOOK_EVERY = 1.0
"""Seconds between looks at the status that other processes publish."""


class PublishedStatus(msgspec.Struct):
    """What is read of the status that the holder of a link publishes."""

    usable: bool = False


class Availability:
    """Since when which links are unusable; a link of which nothing is known yet is not passed over at once."""

    def __init__(self, names: Iterable[str] = (), *, seconds: Callable[[], float] = time.monotonic) -> None:
        """`seconds`: a time that never steps."""
        self._seconds = seconds
        self._since = dict.fromkeys(names, seconds())

    def note(self, name: str, *, is_usable: bool) -> None:
        """Note whether a link is usable now."""
        if is_usable:
            self._since.pop(name, None)
        else:
            self._since.setdefault(name, self._seconds())

    def forget(self, name: str) -> None:
        """Drop a link that no longer exists."""
        self._since.pop(name, None)

    def passed_over(self) -> frozenset[str]:
        """Return the links whose place others take."""
        before = self._seconds() - PASSED_OVER_AFTER
        return frozenset(name for name, since in self._since.items() if since <= before)


def note_published(availability: Availability, lines: Iterable[LeaseLine], *, names: Iterable[str]) -> None:
    """Note the status of links that other processes hold; a link that none holds is unusable."""
    published = {line.name.removeprefix("link:"): line for line in lines if line.name.startswith("link:")}
    for name in names:
        line = published.get(name)
        held = line is not None and line.left_ms > 0 and bool(line.told)
        is_usable = held and line is not None and msgspec.json.decode(line.told, type=PublishedStatus).usable
        availability.note(name, is_usable=is_usable)


async def watch_others(availability: Availability, store: Store, others: Callable[[], Iterable[str]]) -> None:
    """Note the links that other processes hold, again and again until cancelled."""
    while True:
        try:
            note_published(availability, await store.leases.all(), names=others())
        except StoreError as error:  # while the store does not answer, no process claims anything
            log.warning("links_of_others_unknown", reason=str(error))
        await asyncio.sleep(LOOK_EVERY)
