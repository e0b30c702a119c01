"""`esito store`: moving the database, and saving it."""

from pathlib import Path

import click

from esito.app import wiring
from esito.cli.options import print_json, with_json, with_settings
from esito.cli.store_copy import copy
from esito.cli.terminal import say
from esito.config import Settings


@click.group()
def store() -> None:
    """Move the database, or save it."""


store.add_command(copy)


@store.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@with_settings
@with_json
def backup(settings: Settings, file: Path, *, as_json: bool) -> None:
    """Write a copy of the SQLite database to FILE, while the server works.

    It holds everything that was kept before the command began. `esito.secret` belongs to it.
    """
    wiring.save(settings, file)
    size = file.stat().st_size
    if as_json:
        print_json({"store": settings.store.url, "file": str(file), "bytes": size})
    else:
        say(f"{file} holds a copy of {settings.store.url}, {size:,} octets.")
        if not settings.store.secret:
            say(f"Keep {settings.store.path.parent / 'esito.secret'} with it: without it no API key opens.")
