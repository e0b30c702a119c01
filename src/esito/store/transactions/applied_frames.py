"""Frames of receipts that come through a log: applied once each, whatever comes twice or late."""

from collections import defaultdict
from collections.abc import Sequence

from esito.store.interface.frame_store import AppliedFrames, Mark, NumberedFrame, Poison
from esito.store.sql_connection import Connection
from esito.store.transactions.known_links import LinkRegistry
from esito.store.transactions.settling import settle, told


class Applying:
    """The transaction behind `Store.frames.apply`."""

    def __init__(self, registry: LinkRegistry) -> None:
        self._registry = registry

    def __call__(self, connection: Connection, batches: Sequence[Sequence[NumberedFrame]]) -> list[AppliedFrames]:
        """Apply the frames that are new."""
        return [self._apply(connection, frames) for frames in batches]

    def _apply(self, connection: Connection, frames: Sequence[NumberedFrame]) -> AppliedFrames:
        series: dict[tuple[str, int], list[NumberedFrame]] = defaultdict(list)
        for frame in frames:
            series[frame.gateway, frame.epoch].append(frame)
        new = [frame for key in sorted(series) for frame in _new_of(connection, key, series[key])]
        settled = told(settle(connection, self._registry.now, [receipt for frame in new for receipt in frame.receipts]))
        return AppliedFrames(len(new), settled.moved, settled.verdicts)


def _new_of(connection: Connection, key: tuple[str, int], frames: Sequence[NumberedFrame]) -> list[NumberedFrame]:
    """Note the frames of one series as applied; return those that were not."""
    gateway, epoch = key
    connection.run("begin_mark", gateway=gateway, epoch=epoch)
    confirmed = connection.number("held_mark", gateway=gateway, epoch=epoch)
    beyond = connection.numbers("frames_beyond", gateway=gateway, epoch=epoch)
    known = set(beyond)
    new: dict[int, NumberedFrame] = {}
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


def read_marks(read: Connection, gateway: str | None) -> list[Mark]:
    """Return how far every gateway is, or this one."""
    beyond: dict[tuple[str, int], list[int]] = defaultdict(list)
    for one, epoch, sequence in read.rows("all_beyond", tuple[str, int, int]):
        beyond[one, epoch].append(sequence)
    return [
        Mark(one, epoch, confirmed, tuple(beyond[one, epoch]))
        for one, epoch, confirmed in read.rows("all_marks", tuple[str, int, int])
        if gateway is None or one == gateway
    ]


def set_aside(connection: Connection, place: int, content: bytes, *, reason: str, at: int) -> None:
    """Keep what is no good frame."""
    connection.run("keep_poison", at=at, place=place, reason=reason, content=content)


def read_poison(read: Connection, limit: int) -> list[Poison]:
    """Return what was set aside, newest first."""
    return read.rows("poison", Poison, limit=limit)
