"""Changes that administrators make to links: stored, over the settings file, and refused if they cannot be used.

Every running server of the installation applies them within some seconds, and a restart keeps them.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from esito.app.link_changes import LinkChange, changes, doubts
from esito.app.link_factory import check_links
from esito.app.link_settings import SECRET, WHERE, EditContext, overridden, sealed, settings_of, shown_setting, unsealed
from esito.config import ConfigError, LinkSettings, Settings
from esito.domain.errors import LinkInUse, NoSuchLink
from esito.domain.timing import RealClock
from esito.store.interface.link_store import KeptLink, LinkWork


class LinkEdit(NamedTuple):
    """What a command changes of a link."""

    set: Mapping[str, Any]
    unset: Sequence[str] = ()
    """Settings that go back to the file, or to their default."""

    @property
    def details(self) -> str:
        """The edit as the audit log has it."""
        return ", ".join(
            [shown_setting(*one) for one in self.set.items()] + [f"{name} is unset" for name in self.unset]
        )


EditOf = Callable[[Mapping[str, Any]], LinkEdit]
"""Makes an edit, given what the store keeps of the link before it."""


async def edit(context: EditContext, name: str, act: str, edit_of: EditOf) -> tuple[LinkChange | None, list[str]]:
    """Store an edit of a link; return the change it makes, and notes for the administrator.

    Raises ConfigError, NoSuchLink and LinkChanged.
    """
    settings, store, secret = context.settings, context.store, context.secret
    kept = await store.links.all()
    before = next((one for one in kept if one.name == name), None)
    in_file = any(one.name == name for one in settings.links)
    _require(settings, kept, name, is_new=act == "link added")
    row = {} if before is None or act == "link added" else settings_of(before)
    edit = edit_of(row)
    for field in edit.unset:
        if field not in row:
            raise ConfigError(f"link.{name}.{field} was not set by command")
    mine = {} if before is None or act == "link added" else unsealed(before, None if SECRET in edit.set else secret)
    mine = {field: value for field, value in (mine | dict(edit.set)).items() if field not in edit.unset}
    after = sealed(name, mine, added=act == "link added" or (before is not None and before.added), secret=secret)
    others = [one for one in kept if one.name != name]
    try:
        present = overridden(settings, [*others, after], secret=secret, environ=context.environ)
    except ConfigError as error:
        raise ConfigError(str(error).removeprefix(f"{WHERE}: ")) from None  # the source is this command
    await asyncio.to_thread(check_links, present)  # it reads the TLS files
    found = next((one for one in _changes(context, kept, present) if one.name == name), None)
    if found is not None:
        at = RealClock().now()
        await store.links.keep(after, before=before, act=act, details=edit.details, actor=context.actor, at=at)
    notes = [sentence for link, sentence in doubts(present) if link == name]
    if in_file and act == "link changed" and edit.set:
        notes.append("it stands in the file too, over which this goes until `esito link change --unset`")
    return found, notes


def _changes(context: EditContext, kept: Sequence[KeptLink], after: Settings) -> list[LinkChange]:
    try:
        before = overridden(context.settings, kept, secret=context.secret, environ=context.environ)
    except ConfigError:  # the store holds settings that cannot be used: whatever mends them is a change
        before = context.settings
    return list(changes(before.links, after.links))


async def remove(context: EditContext, name: str, *, forced: bool) -> tuple[LinkWork, list[str]]:
    """Remove a link that was added by command; return its remaining work, and notes for the administrator.

    Raises ConfigError, NoSuchLink, LinkInUse and LinkChanged.
    """
    settings, store = context.settings, context.store
    kept = await store.links.all()
    _require(settings, kept, name, is_new=False)
    if any(one.name == name for one in settings.links):
        raise ConfigError(
            f"link {name} stands in the settings file: take it out there and send SIGHUP to the server;"
            f" `esito link disable {name}` lays it down at once"
        )
    (row,) = [one for one in kept if one.name == name]
    work = await store.links.work(name)
    details = f"forced: {_counted(work)}" if forced and any(work) else ""
    try:
        await store.links.remove(row, forced=forced, details=details, actor=context.actor, at=RealClock().now())
    except LinkInUse:
        present = overridden(settings, kept, secret=None)
        (link,) = [one for one in present.links if one.name == name]
        raise LinkInUse(_refusal(link, await store.links.work(name))) from None
    left = overridden(settings, [one for one in kept if one.name != name], secret=None)
    return work, _aftermath(left, row, work)


def _refusal(link: LinkSettings, work: LinkWork) -> str:
    """Return why a link is not removed, and what to do first."""
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


def _require(settings: Settings, kept: Sequence[KeptLink], name: str, *, is_new: bool) -> None:
    """Check that a link exists, or that a new one does not. Raises ConfigError, NoSuchLink."""
    names = [one.name for one in settings.links] + [one.name for one in kept if one.added]
    if is_new and name in names:
        raise ConfigError(f"there is a link {name} already; change it with `esito link change {name} ...`")
    if not is_new and name not in names:
        raise NoSuchLink(f"there is no link {name}; there are: {', '.join(dict.fromkeys(names)) or 'none'}")
