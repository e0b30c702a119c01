"""Frames of receipts that come through a log, in tables."""

from collections import defaultdict
from collections.abc import Sequence

from esito.store.intake import Applied, Brought, Mark, Poison
from esito.store.tables.area import Area
from esito.store.tables.connection import Connection
from esito.store.tables.engine import Engine
from esito.store.tables.links import LinkRegistry
from esito.store.tables.settling import settle, told


class Intake(Area):
    """The handlers behind `Store.intake`."""

    def __init__(self, engine: Engine, registry: LinkRegistry) -> None:
        super().__init__(engine)
        self._registry = registry

    async def apply(self, frames: Sequence[Brought]) -> Applied:
        """Apply the frames that are new."""
        return await self._do(self._apply, frames)

    def _apply(self, connection: Connection, batches: Sequence[Sequence[Brought]]) -> list[Applied]:
        return [self._apply_batch(connection, frames) for frames in batches]

    def _apply_batch(self, connection: Connection, frames: Sequence[Brought]) -> Applied:
        series: dict[tuple[str, int], list[Brought]] = defaultdict(list)
        for frame in frames:
            series[frame.gateway, frame.epoch].append(frame)
        new = [frame for key in sorted(series) for frame in _new_of(connection, key, series[key])]
        settled = told(settle(connection, self._registry.now, [receipt for frame in new for receipt in frame.receipts]))
        return Applied(len(new), settled.moved, settled.verdicts)

    async def marks(self, gateway: str | None = None) -> list[Mark]:
        """Return how far every gateway is."""
        return await self._ask(lambda read: _marks(read, gateway))

    async def set_aside(self, place: int, content: bytes, *, reason: str, at: int) -> None:
        """Keep what is no good frame."""
        await self._act_beside(
            lambda open_: open_.run("keep_poison", at=at, place=place, reason=reason, content=content)
        )

    async def poison(self, *, limit: int = 100) -> list[Poison]:
        """Return what was set aside."""
        return await self._ask(lambda read: read.rows("poison", Poison, limit=limit))


def _new_of(connection: Connection, key: tuple[str, int], frames: Sequence[Brought]) -> list[Brought]:
    """Note the frames of one series as applied; return those that were not."""
    gateway, epoch = key
    connection.run("begin_mark", gateway=gateway, epoch=epoch)
    confirmed = connection.number("held_mark", gateway=gateway, epoch=epoch)
    beyond = connection.numbers("frames_beyond", gateway=gateway, epoch=epoch)
    known = set(beyond)
    new: dict[int, Brought] = {}
    for frame in frames:
        if frame.sequence > confirmed and frame.sequence not in known:
            new.setdefault(frame.sequence, frame)
    known |= new.keys()
    while confirmed + 1 in known:
        confirmed += 1
    connection.run("move_mark", gateway=gateway, epoch=epoch, confirmed=confirmed)
    if beyond:
        connection.run("forget_beyond", gateway=gateway, epoch=epoch, confirmed=confirmed)
    connection.run_rows("keep_beyond", [(*key, sequence) for sequence in sorted(new) if sequence > confirmed])
    return [new[sequence] for sequence in sorted(new)]


def _marks(read: Connection, gateway: str | None) -> list[Mark]:
    beyond: dict[tuple[str, int], list[int]] = defaultdict(list)
    for one, epoch, sequence in read.rows("all_beyond", tuple[str, int, int]):
        beyond[one, epoch].append(sequence)
    return [
        Mark(one, epoch, confirmed, tuple(beyond[one, epoch]))
        for one, epoch, confirmed in read.rows("all_marks", tuple[str, int, int])
        if gateway is None or one == gateway
    ]
