"""`esito bus`: the receipt log between gateways and the store."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from esito import logs
from esito.app import link_factory, wiring
from esito.app.link_settings import overridden
from esito.cli.options import print_json, run, with_json, with_settings
from esito.cli.terminal import TextTable, foldable, kept_whole, moment, say, show
from esito.config import ConfigError, Settings
from esito.private_files import make_folder, new_private
from esito.receipt_log.consumer import replay as replay_log
from esito.receipt_log.interface import Lag, ReceiptLog
from esito.store.interface.frame_store import Mark, Poison
from esito.store.interface.store import Store


@click.group()
def bus() -> None:
    """Show the state of the receipt log, replay it, and list the records that could not be applied."""


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator[tuple[ReceiptLog, Store]]:
    logs.configure(level="warning", form=settings.logs.format)  # on standard error, apart from the output
    async with wiring.open_receipt_log(settings) as log:
        if log is None:
            raise ConfigError("bus.url is empty: receipts go straight into the store, and there is no log")
        async with wiring.open_store(settings) as store:
            yield log, store


# -- status -----------------------------------------------------------------------------------


@bus.command()
@with_settings
@with_json
def status(settings: Settings, *, as_json: bool) -> None:
    """Show how full the log is, how far the store lags behind it, and which frames of each gateway are applied."""
    lag, marks, complaints = run(_status(settings))
    if as_json:
        print_json(_for_programs(lag, marks, complaints))
    else:
        say(f"{lag.waiting} records wait for the store; {lag.filled:.0%} of {lag.most >> 20} MiB are taken.")
        _print_marks(marks)
        for one in complaints:
            say(one)
    sys.exit(1 if complaints else 0)


async def _status(settings: Settings) -> tuple[Lag, list[Mark], list[str]]:
    async with _opened(settings) as (log, store):
        return await log.lag(), await store.frames.marks(), await log.check()


def _for_programs(lag: Lag, marks: list[Mark], complaints: list[str]) -> dict[str, Any]:
    return {
        "waiting": lag.waiting,
        "bytes": lag.octets,
        "max_bytes": lag.most,
        "gateways": [
            {"gateway": mark.gateway, "series": mark.epoch, "confirmed": mark.confirmed, "missing": mark.missing}
            for mark in marks
        ],
        "complaints": complaints,
    }


def _print_marks(marks: list[Mark]) -> None:
    if not marks:
        say("No gateway has brought a receipt by it yet.")
        return
    table = TextTable(foldable("gateway"), *kept_whole("series", "applied up to", "missing"))
    for mark in marks:
        table.add_row(Text(mark.gateway), str(mark.epoch), str(mark.confirmed), str(len(mark.missing) or ""))
    show(table)
    for mark in marks:
        if mark.missing:
            shown = ", ".join(map(str, mark.missing[:10])) + (" ..." if len(mark.missing) > 10 else "")
            say(f"Of series {mark.epoch} of {mark.gateway} these are missing: {shown}")


# -- replaying ---------------------------------------------------------------------------------


class Moment(click.ParamType[int]):
    """An instant as ISO 8601 with its zone."""

    name = "WHEN"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Return milliseconds UTC."""
        try:
            at = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a moment such as 2026-11-23T10:00:00Z", param, ctx)
        if at.tzinfo is None:
            self.fail(f"{value!r} names no zone; write 2026-11-23T10:00:00Z or +01:00", param, ctx)
        return int(at.astimezone(UTC).timestamp() * 1000)


@bus.command()
@click.option("--from", "since", type=Moment(), required=True, help="Start here: 2026-11-23T10:00:00Z.")
@with_settings
@with_json
def replay(settings: Settings, since: int, *, as_json: bool) -> None:
    """Apply all frames of the log again; those that the store has are skipped.

    For a store that was restored from a backup. Servers may keep running.
    """
    seen, new = run(_replay(settings, since))
    if as_json:
        print_json({"seen": seen, "applied": new})
    else:
        say(f"{seen} frames read, {new} of them were new to the store.")


async def _replay(settings: Settings, since: int) -> tuple[int, int]:
    async with _opened(settings) as (log, store):
        await link_factory.register_links(overridden(settings, await store.links.all(), secret=None), store)
        return await replay_log(log, store, since=since)


# -- poison ------------------------------------------------------------------------------------


@bus.command()
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True, help="At most so many.")
@click.option(
    "--save",
    type=click.Path(file_okay=False, path_type=Path),
    help="Write the octets of each record into this directory.",
)
@with_settings
@with_json
def poison(settings: Settings, limit: int, save: Path | None, *, as_json: bool) -> None:
    """List the records of the log that could not be applied, newest first."""
    found = run(_poison(settings, limit))
    if save is not None:
        make_folder(save)
        for one in found:
            with new_private(save / f"{one.place}.frame") as file:
                file.write(one.content)
    if as_json:
        print_json([_poison_for_programs(one) for one in found])
    elif not found:
        say("Every record of the log could be applied.")
    else:
        table = TextTable("taken", "place in the log", "octets", "reason")
        for one in found:
            table.add_row(moment(one.at), str(one.place), str(len(one.content)), Text(one.reason))
        show(table)


def _poison_for_programs(one: Poison) -> dict[str, Any]:
    return {"id": one.number, "at": one.at, "place": one.place, "octets": len(one.content), "reason": one.reason}


async def _poison(settings: Settings, limit: int) -> list[Poison]:
    async with wiring.open_store(settings) as store:
        return await store.frames.poison(limit=limit)
