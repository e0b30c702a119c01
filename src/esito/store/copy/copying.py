"""The copy from beginning to end: lock both sides, fill, set what counts on, read back and compare."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from esito.store.copy import engines
from esito.store.copy.progress import CopyPosition
from esito.store.copy.source import AT_ONCE, CopyDiffers, Source, locked_source
from esito.store.copy.tables import TABLES, Table, TableChecksum
from esito.store.copy.target import Target, held_target

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """What was copied, and found the same on both sides."""

    tables: Mapping[str, TableChecksum]
    """In the order in which they were copied."""
    complaints: tuple[str, ...]
    """What does not add up in the books of the copy; the source's say the same."""

    @property
    def rows(self) -> int:
        """Rows of all tables."""
        return sum(extent.rows for extent in self.tables.values())


def _silent(_line: str) -> None:
    """Say nothing."""


async def copy(source: Path, target: str, *, say: Say = _silent, batch: int = AT_ONCE) -> Copied:
    """Copy everything in a SQLite file to an empty PostgreSQL database, and prove that it is the same.

    Interrupted at any moment and called again, it goes on where it was. Nobody else can use the source meanwhile,
    nor write to the target. `say` is told, after each batch of rows is kept, how far it is.
    Raises CopyRefused, CopyDiffers, and NewerSchema, UnsafeEngine, StoreUnavailable for the target.
    """
    with locked_source(source) as origin:
        async with held_target(target) as copied:
            extents = await _begin(origin, copied, say)
            for table in TABLES:
                await _fill(origin, copied, table, extents[table.name], say=say, batch=batch)
            await copied.set_sequences(origin)
            await copied.analyze()
            await _compare(copied, extents, say)
            say("Asking whether the books of the copy balance.")
            complaints = await engines.complaints(target)
            await copied.progress.end()
    return Copied(tables=extents, complaints=tuple(complaints))


async def _begin(origin: Source, copied: Target, say: Say) -> dict[str, TableChecksum]:
    """Sum up the source, which stays as it is from here on, and make room for it."""
    say("Reading the source.")
    extents = {table.name: origin.extent(table) for table in TABLES}
    again = await copied.progress.begun()
    await copied.progress.begin(extents)
    say(f"{'Going on with' if again else 'Copying'} {sum(extent.rows for extent in extents.values())} rows.")
    await copied.make_spans(origin.spans())
    return extents


async def _fill(origin: Source, copied: Target, table: Table, extent: TableChecksum, *, say: Say, batch: int) -> None:
    """Copy what a table lacks."""
    reached = await copied.progress.of(table.name)
    if reached.done == extent.rows:
        return
    places = [table.columns.index(name) for name in table.key]
    for rows in origin.batches(table, reached.last, size=batch):
        reached = CopyPosition(reached.done + len(rows), [rows[-1][place] for place in places])
        await copied.add(table, rows, reached)
        say(f"{table.name}: {reached.done} of {extent.rows}")


async def _compare(copied: Target, extents: Mapping[str, TableChecksum], say: Say) -> None:
    """Read everything back. Raises CopyDiffers, once all tables were compared."""
    say("Reading the copy back.")
    different = []
    for table in TABLES:
        name, extent, found = table.name, extents[table.name], await copied.extent(table)
        if found == extent:
            say(f"{name}: {extent.rows} rows, checksum {extent.shown} on both sides")
        else:
            say(f"{name}: {extent.rows} rows, checksum {extent.shown}; in the copy {found.rows}, {found.shown}")
            different.append(name)
    if different:
        raise CopyDiffers(f"the copy differs from the source in {', '.join(different)}; do not use it")
