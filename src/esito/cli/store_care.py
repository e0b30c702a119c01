"""`esito store`: moving the database, saving it, and making a standby the primary."""

from pathlib import Path

import click

from esito.app import wiring
from esito.cli.options import print_json, run, with_json, with_settings
from esito.cli.store_copy import PostgresUrl, copy
from esito.cli.terminal import say
from esito.cluster.failover import FailedOver, FailoverRefused, fail_over
from esito.config import Settings


@click.group()
def store() -> None:
    """Move the database, save it, make a standby the primary."""


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


@store.command()
@click.option(
    "--node", "nodes", type=PostgresUrl(), multiple=True, required=True, help="A member; name all, the dead one too."
)
@click.option(
    "--quorum",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="How many standbys have every acknowledged commit: the number after ANY.",
)
@click.option("--accept-loss", is_flag=True, help="Go on though a standby that does not answer may know more.")
@with_json
def failover(nodes: tuple[str, ...], quorum: int, *, accept_loss: bool, as_json: bool) -> None:
    """Make the PostgreSQL standby that has received most the primary, and let the others follow it.

    Refuses while a primary answers, and when too few standbys answer to be sure that nothing acknowledged is lost.
    """
    if len(nodes) < 2:
        raise click.UsageError("Name every member with --node, the dead primary too.")
    tell = (lambda _: None) if as_json else say
    try:
        done = run(fail_over(nodes, quorum=quorum, accept_loss=accept_loss, say=tell))
    except FailoverRefused as error:
        raise click.ClickException(f"nothing was promoted: {error}") from error
    except TimeoutError as error:
        raise click.ClickException(f"a node fell silent on the way; run it again: {error}") from error
    if as_json:
        print_json(_for_programs(done))


def _for_programs(done: FailedOver) -> dict[str, object]:
    return {
        "primary": done.primary,
        "standbys": done.standbys,
        "seconds": {name: round(seconds, 3) for name, seconds in done.seconds.items()},
    }
