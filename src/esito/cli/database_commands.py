"""`esito migrate` and `esito check`: the schema of the database, and the proof that its books balance."""

import asyncio
import sys
from collections.abc import AsyncIterator
from time import monotonic

import click

from esito.app import wiring
from esito.cli.options import print_json, run, with_json, with_settings
from esito.cli.terminal import say
from esito.config import ConfigError, Settings
from esito.receipt_log.gaps import OVERDUE_AFTER, Gaps
from esito.receipt_log.gaps import sentence as gap_sentence
from esito.receipt_log.interface import LogUnavailable, UnsafeLog
from esito.store.interface.store import Store


@click.command()
@with_settings
@with_json
def migrate(settings: Settings, *, as_json: bool) -> None:
    """Create the database, or bring it to the schema of this version.

    The server does the same when it starts. Steps that would break a running older version are put off.
    """
    put_off = run(_open(settings))
    if as_json:
        print_json({"store": settings.store.url, "migrated": True, "putOff": put_off})
    elif put_off:
        say("\n".join(put_off))
        say(f"{settings.store.url} has what this version needs; give the command again when they have ended.")
    else:
        say(f"{settings.store.url} has the schema of this version.")


async def _open(settings: Settings) -> list[str]:
    async with wiring.open_store(settings) as store:  # opening migrates
        return list(store.put_off)


@click.command()
@with_settings
@with_json
def check(settings: Settings, *, as_json: bool) -> None:
    """Check that the books balance; name what does not add up."""
    if not settings.store.shared and not settings.store.path.exists():
        raise ConfigError(f"there is no database at {settings.store.path}")
    complaints = run(_complaints(settings, quiet=as_json))
    if as_json:
        print_json({"balanced": not complaints, "complaints": complaints})
    elif not complaints:
        say("The books balance.")
    sys.exit(1 if complaints else 0)


async def _complaints(settings: Settings, *, quiet: bool) -> list[str]:
    complaints = []
    async with wiring.open_store(settings) as store:
        async for sentence in _all(settings, store):
            complaints.append(sentence)
            if not quiet:
                say(sentence)
    return complaints


async def _all(settings: Settings, store: Store) -> AsyncIterator[str]:
    gaps = Gaps(store)
    await gaps.look(monotonic())
    async for sentence in store.check():
        yield sentence
    if gaps.any:
        await asyncio.sleep(OVERDUE_AFTER)
        for gap in await gaps.look(monotonic()):
            yield gap_sentence(gap)
    try:
        async with wiring.open_receipt_log(settings) as log:
            for sentence in await log.check() if log is not None else ():
                yield sentence
    except (LogUnavailable, UnsafeLog) as error:
        yield str(error)
