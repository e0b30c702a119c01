"""`esito link remove`: a link that was added by command goes, once nothing waits for it, or all the same."""

import click

from esito.app import link_edits, wiring
from esito.cli.link_change import edit_context
from esito.cli.options import actor, print_json, run, with_json, with_settings
from esito.cli.terminal import say
from esito.config import Settings
from esito.store.links import LinkWork


@click.command()
@click.argument("name")
@click.option("--force", is_flag=True, help="Though segments wait for it, or for its operator's answer.")
@with_json
@with_settings
def remove(name: str, settings: Settings, *, as_json: bool, force: bool) -> None:
    """Remove a link that was added by command."""
    work, notes = run(_remove(settings, name, forced=force))
    if as_json:
        print_json({"link": name, "act": "removed", **work._asdict(), "notes": notes})
        return
    say(f"Link {name} is removed; running servers lay it down within some seconds.")
    for note in notes:
        say(f"Note: {note}.")


async def _remove(settings: Settings, name: str, *, forced: bool) -> tuple[LinkWork, list[str]]:
    async with wiring.open_store(settings, actor=actor()) as store:
        return await link_edits.remove(edit_context(settings, store), name, forced=forced)
