"""Which links there are: those of the settings file, and over them, by name, what commands keep in the store.

The file is the truth for what stands in it, the environment goes over the file, and what a command has said goes over
both, until a command takes it back. So a restart changes nothing, and every process of an installation sees the same.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from esito.config import ConfigError, LinkSettings, Settings, changed_link, new_link, with_links
from esito.domain.credentials import seal, unseal
from esito.store.base import Store
from esito.store.links import KeptLink

FILE, STORE, BOTH, FORGOTTEN = "file", "store", "file, store", "none"
"""Where a link comes from; `FORGOTTEN`: kept to go over one that stands in the file no more."""

WHERE = "esito link"
"""Where a setting was written that stands in the store, as a refusal names it."""

SECRET = "password"  # noqa: S105  the name of the setting
HIDDEN = "(set)"


class Editing(NamedTuple):
    """Where links are changed, and by whom."""

    settings: Settings
    """Those of the file."""
    store: Store
    secret: bytes
    environ: Mapping[str, str]
    actor: str
    """For the audit log."""


def laid_over(
    settings: Settings, kept: Sequence[KeptLink], *, secret: bytes | None, environ: Mapping[str, str] | None = None
) -> Settings:
    """Return the settings with the links that there are. Raises ConfigError, for the file and for the store alike.

    Without a `secret` no password that is kept in the store is opened: to show links.
    """
    links = {link.name: link for link in settings.links}
    for one in kept:
        if one.name in links:
            links[one.name] = changed_link(links[one.name], opened(one, secret), where=WHERE)
        elif one.added:
            links[one.name] = new_link({"name": one.name, **opened(one, secret)}, environ or {}, where=WHERE)
    return with_links(settings, list(links.values()), where=WHERE) if kept else settings


def sources(settings: Settings, kept: Sequence[KeptLink]) -> dict[str, str]:
    """Say of every link where it comes from; `settings` are those of the file."""
    found = {link.name: FILE for link in settings.links}
    for one in kept:
        found[one.name] = BOTH if one.name in found else STORE if one.added else FORGOTTEN
    return found


def settings_of(one: KeptLink) -> dict[str, Any]:
    """Return what is kept of a link, its password sealed."""
    return msgspec.json.decode(one.settings, type=dict[str, Any])


def opened(one: KeptLink, secret: bytes | None) -> dict[str, Any]:
    """Return what is kept of a link, as it would be written in its section. Raises ConfigError."""
    settings = settings_of(one)
    if secret is None:
        settings.pop(SECRET, None)
    elif SECRET in settings:
        try:
            settings[SECRET] = unseal(settings[SECRET], secret)
        except ValueError:
            raise ConfigError(
                f"link.{one.name}.password was kept under another store.secret; give that back, or set the password"
                f" again: esito link change {one.name} --password-file FILE"
            ) from None
    return settings


def closed(name: str, settings: Mapping[str, Any], *, added: bool, secret: bytes) -> KeptLink:
    """Return what is to be kept of a link."""
    sealed = {SECRET: seal(str(settings[SECRET]), secret)} if SECRET in settings else {}
    return KeptLink(name, added, msgspec.json.encode({**settings, **sealed}).decode())


def told_of(name: str, value: Any) -> str:
    """Return a setting as the audit log and people are told of it."""
    return f"{name} = {HIDDEN if name == SECRET else msgspec.json.encode(value).decode()}"


def differences(before: LinkSettings, after: LinkSettings) -> list[str]:
    """Return the names of the settings that differ."""
    return [name for name in LinkSettings.__dataclass_fields__ if getattr(before, name) != getattr(after, name)]
