"""`esito link remove`: a link that was added by command goes, once nothing waits for it, or all the same."""

import click

from esito.bootstrap import stores
from esito.bootstrap.link_settings import laid_over, settings_of
from esito.cli.link_change import require
from esito.cli.options import actor, print_json, run, with_json, with_settings
from esito.cli.terminal import say
from esito.config import ConfigError, LinkSettings, Settings
from esito.domain.errors import LinkInUse
from esito.domain.timing import RealClock
from esito.store.links import KeptLink, LinkWork


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
    async with stores.open_store(settings, actor=actor()) as store:
        kept = await store.links.all()
        require(settings, kept, name, is_new=False)
        if any(one.name == name for one in settings.links):
            raise ConfigError(
                f"link {name} stands in the settings file: take it out there and send SIGHUP to the server;"
                f" `esito link disable {name}` lays it down at once"
            )
        (row,) = [one for one in kept if one.name == name]
        work = await store.links.work(name)
        details = f"forced: {_counted(work)}" if forced and any(work) else ""
        try:
            await store.links.remove(row, forced=forced, details=details, at=RealClock().now())
        except LinkInUse:
            present = laid_over(settings, kept, secret=None)
            (link,) = [one for one in present.links if one.name == name]
            raise LinkInUse(_refusal(link, await store.links.work(name))) from None
        left = laid_over(settings, [one for one in kept if one.name != name], secret=None)
        return work, _aftermath(left, row, work)


def _refusal(link: LinkSettings, work: LinkWork) -> str:
    """Say why a link is not removed, and what leads out, from where it is now."""
    serves = f"prefixes={','.join(link.prefixes)}" if link.prefixes else "no prefixes"
    if link.enabled:
        out = f"`esito link disable {link.name}`, so that other links that serve the same take what waits"
    else:
        out = (
            f"what waits leaves by links that serve the same, so add or change one to do so ({serves}), or"
            f" `esito link enable {link.name}` and wait until it has left"
        )
    return (
        f"link {link.name} is {'enabled' if link.enabled else 'disabled'} and still has {_counted(work)}: {out}; or"
        " remove it with --force: then what waits leaves by links to which its prefixes lead then, or is given up and"
        " refunded 48 hours after it was due, and what has no answer is uncertain"
    )


def _counted(work: LinkWork) -> str:
    waiting = "1 recipient that waits" if work.waiting == 1 else f"{work.waiting} recipients that wait"
    segments = "segment" if work.postponed == 1 else "segments"
    return f"{waiting}, {work.postponed} {segments} to be submitted again and {work.open} without an answer"


def _aftermath(left: Settings, row: KeptLink, work: LinkWork) -> list[str]:
    operator = settings_of(row).get("operator") or row.name
    notes = []
    if any(work):
        notes.append(f"it had {_counted(work)}")
    if not any((one.operator or one.name) == operator and one.receives for one in left.links):
        notes.append(
            f"no other link of operator {operator} receives: receipts for what it submitted cannot come any more"
        )
    return notes
